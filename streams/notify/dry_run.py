"""`parcelwatch notify --dry-run`: prints what would be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from schemas.times import render
from schemas.topics import ALERTS
from streams.cli.terminal import echo, harmless
from streams.notify.alert import Alert, NoAlertError, read_alert
from streams.notify.local_times import minute_shown
from streams.notify.rehearsal import Rehearsal
from streams.notify.settings import Settings


class NoAlertsError(ValueError):
    """A user's mistake, in one line."""


def alerts_of(folder: Path) -> list[Alert]:
    """The alerts that a replay has written there, by time. Raises `NoAlertsError`."""
    files = [folder / f"{topic}.jsonl" for topic in ALERTS.values()]
    if not any(file.is_file() for file in files):
        names = " and ".join(file.name for file in files)
        raise NoAlertsError(f"{folder}: has no {names}; `parcelwatch replay` writes them")
    return in_order([alert for file in files if file.is_file() for alert in _of_file(file)])


def in_order(alerts: list[Alert]) -> list[Alert]:
    """By time. What begins and ends at one instant begins first; a greater level begins before the lesser ends."""
    return sorted(alerts, key=lambda alert: (alert.time, not alert.raised))


def _of_file(file: Path) -> Iterator[Alert]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    yield read_alert(line)
                except NoAlertError as error:
                    raise NoAlertsError(f"{file}:{number}: {error}") from None


def rehearse(settings: Settings, alerts: list[Alert]) -> None:
    """Prints the messages, by time, and in the last line how many there are and what is not said."""
    rehearsal = Rehearsal(settings)
    sent: Counter[str] = Counter()
    for time, message in rehearsal.said(alerts):
        sent[message.channel] += 1
        echo(f"{minute_shown(time, settings.zone)}  {message.channel}  {message.title}")
        for line in message.text.splitlines():
            echo(f"    {harmless(line)}")
    echo(_summary(len(alerts), sent, rehearsal.counts))


def explain(settings: Settings, alerts: list[Alert], wanted: str) -> None:
    """Prints which routes the alerts take that have this id or subject. Raises `NoAlertsError` where there is none."""
    found = [alert for alert in alerts if wanted in {alert.id, alert.key.subject}]
    if not found:
        raise NoAlertsError(f"{wanted}: no alert has this id or subject")
    for alert in found:
        echo(f"{render(alert.time)}  {alert.key.type} {alert.status}, {alert.severity}, {alert.key.audience}, "
             f"subject {alert.key.subject}, shop {alert.shop or '-'}: {alert.id}")  # fmt: skip
        asked = True
        for number, route in enumerate(settings.routes, 1):
            refusal = route.refusal(alert)
            name = f"  routes[{number}]" + ("" if route.name == f"route {number}" else f" {route.name}")
            if not asked:
                echo(f"{name}: not asked")
            elif refusal is not None:
                echo(f"{name}: no, its {refusal}")
            else:
                echo(f"{name}: yes, to {', '.join(route.channels)}")
                asked = route.goes_on


def _summary(alerts: int, sent: Counter[str], counts: Counter[str]) -> str:
    to = ", ".join(f"{count} to {channel}" for channel, count in sorted(sent.items()))
    told = f"{alerts} alerts, {sent.total()} messages" + (f" ({to})" if to else "")
    why = {"unsaid": "over before anybody was told", "folded": "folded into others", "unrouted": "without a route",
           "repeats": "repeats"}  # fmt: skip
    rest = ", ".join(f"{counts[name]} {words}" for name, words in why.items() if counts[name])
    return f"{told}; not told: {rest}" if rest else told
