"""A story for a person: in colour on a terminal, in plain lines elsewhere."""

from __future__ import annotations

from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from streams.alerts.facts import percent
from streams.alerts.messages import Messages
from streams.cli.terminal import harmless
from streams.engine.processor import BEGINNING
from streams.explain.checks import PREVENTED, Check
from streams.explain.facts import At, Facts, Name, Span, at
from streams.explain.rows import Row, in_order
from streams.explain.shops import ShopFigures
from streams.explain.story import Story
from streams.explain.subject import SHOP
from streams.explain.watch import Watch
from streams.explain.wording import Words
from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.shipments.silence_alerts import SLOW, STALLED

_COLOURS = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
_RESOLVED_COLOUR = "green"
#: Escalations of a shop that are shown; the rest is in the JSON.
_MOST = 20
_WINDOWS = ("7d", "30d")
_COUNTS = (
    "orders", "disputes", "complaints", "interventions", "ticket_timeouts", "escalations", "rate", "logistics_linked",
    "window_closed",
)  # fmt: skip


class _Pipe(Console):
    def on_broken_pipe(self) -> None:
        """Lets the caller know that nobody reads any more; the default ends the program with status 1."""
        raise BrokenPipeError


class Page:
    """Writes stories in one language to `file` (default: standard output)."""

    def __init__(self, words: Words, file: IO[str] | None = None) -> None:
        self._words = words
        self._messages = Messages()
        self._console: Console = _Pipe(file=file, highlight=False)
        # A terminal's lines break between words; a line in a file stays one.
        self._console.soft_wrap = not self._console.is_terminal

    def write(self, watch: Watch, told: list[Story]) -> None:
        """All stories of a subject."""
        for number, story in enumerate(told):
            if number:
                self._line("")
            self._head(watch, story)
            if story.name.kind == SHOP:
                self._shop(story)
            else:
                self._story(story)
        unreadable = watch.scope.unreadable
        if unreadable:
            self._heading("unreadable")
            for one in unreadable:
                facts: Facts = {
                    "topic": one.file or one.topic, "line": one.line, "partition": one.partition,
                    "code": one.error_code, "detail": one.error_detail,
                }  # fmt: skip
                phrase = "unreadable" if one.partition is None else "unreadable_record"
                self._line(f"  {self._words.phrase(phrase, facts)}")

    def _head(self, watch: Watch, story: Story) -> None:
        words = self._words
        self._line(words.name(story.name), "bold")
        joined = words.phrase(
            "joined",
            {"shops": story.shops, "orders": story.orders, "parcels": [one.id for one in story.parcels]},
        )
        if joined:
            self._line(joined)
        as_of = at(watch.end) if watch.end != BEGINNING else None
        self._line(words.phrase("basis", {"policy": watch.policy.label, "as_of": as_of}), "dim")
        if story.state is not None:
            self._line(self._pair(words.label("state"), words.state(story.state.code, story.state.facts)))

    def _story(self, story: Story) -> None:
        self._heading("timeline")
        moments: list[tuple[tuple[int, int, int], Row | Alert]] = []
        rows = sorted(story.rows + story.related_rows, key=in_order)
        moments += [((row.time, 0, number), row) for number, row in enumerate(rows)]
        alerts = story.alerts + story.related_alerts
        moments += [((alert.time, 1, number), alert) for number, alert in enumerate(alerts)]
        for _, moment in sorted(moments, key=lambda one: one[0]):
            if isinstance(moment, Row):
                self._row(story.name, moment)
            else:
                self._alert(story.name, moment)
        self._checks(story)
        if story.escalations:
            self._heading("countings")
            self._countings(story)

    def _row(self, name: Name, row: Row) -> None:
        words = self._words
        line = Text(f"  {words.clock(row.time)}  ", style="dim")
        line.append(self._of(name, row.about), style="dim")
        line.append(harmless(words.event(row.type, row.facts)), style="dim" if row.left_out else "not dim")
        for mark in row.marks:
            line.append(f"  [{harmless(words.mark(mark.code, mark.facts))}]", style="not dim magenta")
        self._console.print(line)

    def _alert(self, name: Name, alert: Alert) -> None:
        words = self._words
        type_ = ALERT_TYPES[alert.type]
        raised = alert.status == RAISED
        facts: Facts = {
            "status": words.label(alert.status),
            "severity": words.label(type_.severity),
            "title": words.title(alert.type),
            "audiences": [words.label(audience) for audience in alert.audiences],
            "resolution": alert.resolution,
        }
        line = Text(f"  {words.clock(alert.time)}  ", style="dim")
        line.append(self._of(name, Name(type_.about, alert.subject)), style="dim")
        line.append(
            words.phrase("sent", facts), style="not dim " + (_COLOURS[type_.severity] if raised else _RESOLVED_COLOUR)
        )
        self._console.print(line)
        if raised:
            # As the platform reads it, where it does.
            message = self._messages.write(alert)[-1].message[words.tag]
            self._console.print(Padding(Text(harmless(message)), (0, 0, 0, 23)) if self._console.is_terminal
                                else Text(f"{' ' * 23}{harmless(message)}"))  # fmt: skip

    def _checks(self, story: Story) -> None:
        if not story.checks:
            return
        self._heading("checks")
        short: dict[tuple[str, Name], list[Check]] = {}
        for check in story.checks:
            if _is_short(check):
                short.setdefault((check.type, check.about), []).append(check)
        folded = {group: checks for group, checks in short.items() if len(checks) > 1}
        for check in story.checks:
            if not (_is_short(check) and (check.type, check.about) in folded):
                sentence = self._words.check(check.type, check.outcome, check.sentence())
                self._check(story.name, check.about, check.type, sentence)
        for (type_, about), checks in folded.items():
            facts: Facts = {"count": len(checks), "longest": Span(max(map(_waited, checks)))}
            self._check(story.name, about, type_, self._words.phrase("folded", facts))

    def _check(self, name: Name, about: Name, type_: str, sentence: str) -> None:
        line = Text("  ")
        line.append(self._of(name, about), style="dim")
        title = self._words.title(type_)
        line.append(title, style="bold")
        line.append(harmless(self._pair(title, sentence).removeprefix(title)))
        self._console.print(line)

    def _countings(self, story: Story, most: int | None = None) -> None:
        words = self._words
        shown = story.escalations if most is None else story.escalations[-most:]
        if len(shown) < len(story.escalations):
            self._line(f"  {words.phrase('more', {'count': len(story.escalations) - len(shown)})}", "dim")
        for one in shown:
            self._line(f"  {words.clock(one.time)}  {words.counting(one.outcome, one.sentence())}")

    def _shop(self, story: Story) -> None:
        words, shop = self._words, story.shop
        if shop is None:
            return
        self._heading("now")
        if shop.now is None:
            self._line(f"  {words.shop('gone', {})}")
        else:
            self._line(f"  {words.phrase('as_of', {'as_of': At(shop.now.boundary)})}  "
                       f"{words.shop('judged', shop.now.sentence())}")  # fmt: skip
            self._windows(shop)
        if shop.changes:
            self._heading("changes")
            for judged in shop.changes:
                self._line(f"  {words.clock(judged.boundary)}  {words.shop('judged', judged.sentence())}")
        if story.alerts:
            self._heading("timeline")
            for alert in story.alerts:
                self._alert(story.name, alert)
        if story.escalations:
            self._heading("countings")
            self._countings(story, _MOST)
        if shop.alerts:
            self._heading("others")
            for type_, (raised, open_) in shop.alerts.items():
                tally = words.phrase("tally", {"raised": raised, "open": open_})
                self._line(f"  {self._pair(words.title(type_), tally)}")

    def _windows(self, shop: ShopFigures) -> None:
        words = self._words
        for window in _WINDOWS if shop.record is not None else ():
            counts = shop.record[window] if shop.record is not None else {}
            parts = [f"{words.label(name)} {_figure(counts[name])}" for name in _COUNTS if name in counts]
            self._line(f"  {self._pair(words.label(window), words.list(parts))}")

    def _of(self, name: Name, about: Name) -> str:
        """What a line is about, where it is not the story's own subject."""
        if (about.kind, about.id) == (name.kind, name.id):
            return ""
        return f"{harmless(self._words.name(about, carrier=False))}  "

    def _pair(self, title: str, text: str) -> str:
        return self._words.phrase("line", {"title": title, "text": text})

    def _heading(self, label: str) -> None:
        self._line("")
        self._line(self._words.label(label), "bold")

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(harmless(text), style=style))


def _is_short(check: Check) -> bool:
    """An update came before half of the time was over: one of many such periods of any shipment."""
    if check.outcome != PREVENTED or check.type not in (SLOW, STALLED):
        return False
    return check.due is not None and check.since is not None and 2 * _waited(check) < check.due - check.since


def _waited(check: Check) -> int:
    came = check.facts.get("at")
    return came.micros - check.since if isinstance(came, At) and check.since is not None else 0


def _figure(value: float | int | None) -> str:
    return percent(value) or "-" if isinstance(value, float) else str(value if value is not None else "-")
