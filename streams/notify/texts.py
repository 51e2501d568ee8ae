"""Writes messages in words: the alerts' own sentences, in templates that a notifier's file may replace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from importlib import resources
from typing import Any

import msgspec
from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from schemas.times import render
from streams.alerts.languages import FALLBACK
from streams.alerts.wording import catalogue
from streams.notify.alert import SEVERITIES, Alert, EpisodeKey
from streams.notify.episode import Episode, Message, Status
from streams.notify.settings import Settings

#: The templates that can be replaced.
NAMES = ("title", "body", "digest_title", "digest_body", "repeat")
#: Alerts that a digest spells out.
_MOST = 20

_OURS: Mapping[str, Mapping[str, str]] = msgspec.toml.decode(
    (resources.files("streams.notify") / "texts.toml").read_bytes()
)
_SAMPLE = Alert(
    id="", key=EpisodeKey("merchant", "shipment.slow", "P1", ""), status="raised", time=0, severity="warning",
    shop="s", order="o", resolution=None, message={FALLBACK: ""}, advice=[],
)  # fmt: skip


class Texts:
    """The templates of all languages."""

    def __init__(self, settings: Settings) -> None:
        jinja = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self._titles = {name: words.title for name, words in catalogue().alerts.items()}
        self._templates: dict[tuple[str, str], Template] = {
            (language, name): jinja.from_string(settings.texts.get(language, {}).get(name, text))
            for language, ours in _OURS.items()
            for name, text in ours.items()
        }

    def message(self, channel: str, items: Sequence[tuple[Episode, Status]], language: str, *, digest: bool) -> Message:
        """One alert, or several of a shop (the most severe first) in a digest."""
        alerts = [_alert(episode, status) for episode, status in items]
        if digest:
            alerts.sort(key=lambda alert: (not alert.raised, -SEVERITIES.index(alert.severity)))
            values: dict[str, Any] = {
                "shop": alerts[0].shop,
                "alerts": [self._shown(alert, language) for alert in alerts[:_MOST]],
                "more": max(0, len(alerts) - _MOST),
                "raised": sum(alert.raised for alert in alerts),
                "resolved": sum(not alert.raised for alert in alerts),
            }
        else:
            values = {"alert": self._shown(alerts[0], language)}
        before = "digest_" if digest else ""
        title = " ".join(self._render(language, f"{before}title", values).split())
        return Message(
            id=_joined(alerts) if digest else alerts[0].id,
            channel=channel,
            title=title,
            text=self._render(language, f"{before}body", values),
            items=[(episode.key, status) for episode, status in items],
            alerts=[alert.without_texts() for alert in alerts],
            digest=digest,
            title_of_repeat=self._render(language, "repeat", {"title": title}),
        )

    def try_out(self, language: str) -> None:
        """Renders every template once. Raises `TemplateError` where one mentions what there is not."""
        shown = self._shown(_SAMPLE, language)
        values = {"alert": shown, "alerts": [shown], "more": 1, "raised": 1, "resolved": 1, "shop": "s", "title": ""}
        for name in NAMES:
            self._render(language, name, values)

    def _render(self, language: str, name: str, values: Mapping[str, Any]) -> str:
        return self._templates[language, name].render(values).strip()

    def _shown(self, alert: Alert, language: str) -> dict[str, Any]:
        """What a template can mention of an alert."""
        titles = self._titles.get(alert.key.type, {})
        return {
            "id": alert.id,
            "type": alert.key.type,
            "name": titles.get(language) or alert.key.type,
            "subject": alert.key.subject,
            "audience": alert.key.audience,
            "time": render(alert.time),
            "raised": alert.raised,
            "severity": alert.severity,
            "severity_word": _OURS[language][alert.severity],
            "shop": alert.shop,
            "order": alert.order,
            "resolution": alert.resolution,
            "message": alert.message.get(language) or alert.message.get(FALLBACK, ""),
            "advice": [piece[language] for piece in alert.advice if language in piece],
        }


def mistake(language: str, name: str, text: str) -> str | None:
    """What is wrong with a template; None if it can be used."""
    try:
        Texts(Settings(channels={}, routes=(), texts={language: {name: text}})).try_out(language)
    except TemplateError as error:
        return str(error).splitlines()[0]
    return None


def _alert(episode: Episode, status: Status) -> Alert:
    return episode.resolved if status == "resolved" and episode.resolved is not None else episode.raised


def _joined(alerts: Iterable[Alert]) -> str:
    """An id that depends on the alerts alone."""
    return blake2b("".join(sorted(alert.id for alert in alerts)).encode(), digest_size=16).hexdigest()
