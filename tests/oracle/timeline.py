"""The sorted list of events, and what the oracle's readers write: alerts."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

TOPICS = ("orders", "logistics-scans", "chats")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(text: str) -> int:
    """An RFC 3339 time with an offset, in microseconds since the epoch; further digits are cut."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a time with an offset: {text!r}")
    day, clock, fraction, zone = match.groups()
    at = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
    return (at - _EPOCH) // timedelta(microseconds=1) + int((fraction or "")[:6].ljust(6, "0"))


def shown(time: int) -> str:
    """A time in UTC with `Z`, with a fraction only where there is one."""
    at = _EPOCH + timedelta(microseconds=time)
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"


@dataclass(frozen=True, eq=False)
class Event:
    """One event of the sorted list; two are never equal, so that one can stand for itself in a dict."""

    time: int
    topic: str
    value: Mapping[str, Any]

    @property
    def type(self) -> str:
        """The event's `type`."""
        return str(self.value["type"])

    @property
    def shop(self) -> str:
        """The event's `shop_id`."""
        return str(self.value["shop_id"])

    @property
    def order(self) -> str | None:
        """The event's `order_id`, where it has one."""
        return self.value.get("order_id")

    @property
    def key(self) -> str:
        """The record key: of an order, else of a conversation, else the event's own id."""
        if self.type == "scan":
            return str(self.value["tracking_no"])
        # Tickets and complaints have no conversation: one that a producer adds is an unknown field.
        names = {
            "complaint.filed": ["complaint_id"],
            "chat.message": ["conversation_id"],
            "intervention.requested": ["conversation_id", "intervention_id"],
            "escalation.voided": ["conversation_id", "escalation_id"],
        }.get(self.type, ["ticket_id"])
        names.insert(0, "order_id")
        return next(str(self.value[name]) for name in names if self.value.get(name) is not None)

    def moment(self, name: str) -> int | None:
        """An optional time of the event (`ship_by`, `respond_by`)."""
        text = self.value.get(name)
        return None if text is None else microseconds(text)


def sorted_events(events: Iterable[Mapping[str, Any]], until: int) -> list[Event]:
    """The events up to `until` by time, topic, `event_id` and the value's SHA-256."""

    def place(event: Event) -> tuple[int, int, str, str]:
        raw = json.dumps(event.value, ensure_ascii=False, separators=(",", ":")).encode()
        return event.time, TOPICS.index(event.topic), event.value["event_id"], hashlib.sha256(raw).hexdigest()

    read = [Event(microseconds(e["value"]["occurred_at"]), e["topic"], e["value"]) for e in events]
    return sorted((event for event in read if event.time <= until), key=place)


@dataclass(frozen=True)
class OracleAlert:
    """One alert on one topic (`merchant` or `platform`).

    Causes, what is left to the next level, the counts of a rate (orders, disputes, complaints, interventions, ticket
    timeouts) and what is said of a shipment (`evidence`, by name) are told by raised ones only.
    """

    topic: str
    type: str
    subject: str
    status: str
    time_us: int
    shop_id: str | None = None
    order_id: str | None = None
    carrier: str | None = None
    resolution: str | None = None
    causes: tuple[str, ...] = ()
    escalations_left: int | None = None
    counts: tuple[int, ...] | None = None
    evidence: tuple[tuple[str, Any], ...] = ()

    def place(self) -> tuple[str, ...]:
        """Sorts alerts by time, then by everything else."""
        return f"{self.time_us:020d}", self.type, self.subject, self.topic, self.status, repr(self)


def episode(
    *,
    topics: tuple[str, ...],
    type_: str,
    subject: str,
    raised_at: int,
    resolved: tuple[int, str] | None,
    shop: str | None,
    order: str | None = None,
    carrier: str | None = None,
    causes: tuple[str, ...] = (),
    left: int | None = None,
    counts: tuple[int, ...] | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> list[OracleAlert]:
    """The alerts of one episode: what is raised on each topic and, where it is resolved, its resolution."""
    alerts = []
    for topic in topics:
        common = (shop, order, carrier)
        alerts.append(
            OracleAlert(
                *(topic, type_, subject, "raised", raised_at),
                *common,
                causes=causes,
                escalations_left=left,
                counts=counts,
                evidence=tuple(sorted((evidence or {}).items())),
            )
        )
        if resolved is not None:
            alerts.append(OracleAlert(topic, type_, subject, "resolved", resolved[0], *common, resolved[1]))
    return alerts
