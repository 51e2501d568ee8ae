"""What the notifier knows of an alert: a CloudEvent of the topics `alerts.*`, without its evidence."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from schemas.times import parse, render
from streams.alerts.cloudevents import name_of
from streams.engine.errors import UNDECODABLE
from streams.rules.alert_types import Severity

#: From the least to the most severe.
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class EpisodeKey(NamedTuple):
    """What a raised alert and its resolved one share."""

    audience: str
    type: str
    subject: str
    episode: str


class Alert(msgspec.Struct, frozen=True):
    """One alert. `time` in microseconds; `message` and `advice` (one text a piece) by language."""

    id: str
    key: EpisodeKey
    status: str
    time: int
    severity: Severity
    shop: str | None
    order: str | None
    resolution: str | None
    message: dict[str, str]
    advice: list[dict[str, str]]

    @property
    def raised(self) -> bool:
        return self.status == "raised"

    def document(self) -> dict[str, Any]:
        """What a webhook is told of it, and a dead letter keeps, beside the texts."""
        return {
            "id": self.id,
            "type": self.key.type,
            "subject": self.key.subject,
            "episode": self.key.episode,
            "audience": self.key.audience,
            "status": self.status,
            "severity": self.severity,
            "time": render(self.time),
            "shop_id": self.shop,
            "order_id": self.order,
            "resolution": self.resolution,
        }

    def without_texts(self) -> Alert:
        """What is left to remember once nobody has to be told of it."""
        return msgspec.structs.replace(self, message={}, advice=[])


class NoAlertError(ValueError):
    """Invalid input: the record is skipped and counted."""


class _Data(msgspec.Struct):
    status: str
    severity: Severity
    audience: str
    episode: str
    message: dict[str, str]
    shop_id: str | None = None
    order_id: str | None = None
    resolution: str | None = None
    advice: list[dict[str, str]] = []


class _CloudEvent(msgspec.Struct):
    id: str
    type: str
    subject: str
    time: str
    data: _Data


_DECODER = msgspec.json.Decoder(_CloudEvent)


def read_alert(value: bytes | None) -> Alert:
    """The alert of a record's value. Raises `NoAlertError`, whose text quotes nothing of the record."""
    try:
        event: Any = _DECODER.decode(value or b"")
        data = event.data
        if data.status not in {"raised", "resolved"}:
            raise NoAlertError("an alert is raised or resolved")
        return Alert(
            id=event.id,
            key=EpisodeKey(data.audience, name_of(event.type), event.subject, data.episode),
            status=data.status,
            time=parse(event.time),
            severity=data.severity,
            shop=data.shop_id,
            order=data.order_id,
            resolution=data.resolution,
            message=data.message,
            advice=data.advice,
        )
    except (*UNDECODABLE, ValueError) as error:
        raise NoAlertError("not a CloudEvent of an alert") from error
