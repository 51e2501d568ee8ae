"""Builds a history event by event and tells what one reader says about it.

The calls are the arrival order. Times are microseconds after `T0`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple, Self

import msgspec

from schemas.decode import decode
from schemas.times import DAY, HOUR, MINUTE, SECOND, parse, render
from streams.policy import load
from streams.policy.model import Policy
from streams.rules.alert import RAISED, Alert
from streams.stages.help_rate.shop_levels import TableRecord
from streams.stages.single_reader import SingleReader

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "T0", "TRIPLE", "Said", "Timeline", "days", "hours", "lowered", "tmall"]

#: A Monday, at midnight, in no period of any policy.
T0 = parse("2025-03-03T00:00:00Z")
#: Just before, at, and just after.
TRIPLE = (-1, 0, 1)


def hours(count: float) -> int:
    return round(count * HOUR)


def days(count: float) -> int:
    return round(count * DAY)


@cache
def tmall() -> Policy:
    return load.load("tmall-2026")


@cache
def lowered(**changes: Any) -> Policy:
    """The default policy with another help rate: by default so low that a few orders are enough."""
    few = {"min_orders": 2, "min_shops": 2, **changes}
    policy = load.default()
    return msgspec.structs.replace(policy, help_rate=msgspec.structs.replace(policy.help_rate, **few))


class Said(NamedTuple):
    """One alert in short. `at`: after T0; `resolution`: None where it is raised."""

    what: str
    at: int
    resolution: str | None = None


class Heard(NamedTuple):
    """All that came out: every alert of a kind, the records of the tables in order, what was late or repeated."""

    alerts: list[Alert]
    records: list[TableRecord]
    late: int
    repeated: int

    def said(self, *kinds: str) -> list[Said]:
        """The alerts of these kinds (`shipment`, `order.ship_late`) in short, by time; their kind's name shortened."""
        found = [
            Said(alert.type.rpartition(".")[2], alert.time - T0, alert.resolution)
            for alert in self.alerts
            if alert.type.startswith(kinds)
        ]
        return sorted(found, key=lambda one: (one.at, one.what, one.resolution or ""))

    def only(self, kind: str, status: str = RAISED) -> Alert:
        """The one alert of a type and status."""
        (found,) = self.every(kind, status)
        return found

    def every(self, kind: str, status: str = RAISED) -> list[Alert]:
        """The alerts of a type and status."""
        return [alert for alert in self.alerts if alert.type == kind and alert.status == status]

    def table(self, name: str) -> dict[str, dict[str, Any] | None]:
        """The last record of each key, None behind a tombstone."""
        return {record.key: record.value for record in self.records if record.table == name}

    def window(self, shop: str = "S1", window: str = "30d") -> dict[str, Any]:
        """A window of the shop's last record in `help-rates`."""
        value = self.table("help-rates")[shop]
        assert value is not None, "a tombstone"
        found: dict[str, Any] = value[window]
        return found


class Timeline:
    """A history under construction. Every method adds one event and returns the timeline."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or load.default()
        self.events: list[tuple[str, bytes]] = []

    # -- what comes out

    def heard(self, until: int | None = None) -> Heard:
        """Reads it all up to `until` (default: the greatest time).

        Where nothing is late, looking at what is due behind every event must make no difference.
        """
        heard = self._read(until, looks=False)
        if not heard.late:
            again = self._read(until, looks=True)
            assert _plain(again) == _plain(heard)
        return heard

    def said(self, *kinds: str, until: int | None = None) -> list[Said]:
        """The alerts of these kinds in short, by time."""
        return self.heard(until).said(*kinds)

    def _read(self, until: int | None, *, looks: bool) -> Heard:
        reader = SingleReader(self.policy)
        end = None if until is None else T0 + until
        repeated = 0
        for topic, value in self.events:
            event, time = decode(topic, value)
            if end is None or time <= end:
                repeated += not reader.take(topic, event, time, value)
            if looks:
                reader.settle()
        reader.finish(reader.greatest if end is None else end)
        return Heard(*reader.drain(), reader.late, repeated)

    # -- events

    def add(self, topic: str, type_: str, at: int, **fields: Any) -> Self:
        """Any event; fields that are None are left out."""
        value = {"event_id": f"e{len(self.events):04d}", "type": type_, "occurred_at": render(T0 + at), **fields}
        self.events.append((topic, _encoded({name: field for name, field in value.items() if field is not None})))
        return self

    def again(self, number: int = -1, **changes: Any) -> Self:
        """One of the events once more, with other fields where given."""
        topic, value = self.events[number]
        self.events.append((topic, _encoded({**json.loads(value), **changes})))
        return self

    def tick(self, at: int) -> Self:
        """An event that means nothing to any rule but that time has come so far."""
        return self.chat("message", at, conversation_id="clock", sender="platform", text="tick", shop_id="clock")

    def order(self, type_: str, at: int, order: str = "A", **fields: Any) -> Self:
        """An event of the topic `orders`, whose type begins with `order.` where it has no prefix."""
        name = type_ if "." in type_ else f"order.{type_}"
        return self.add("orders", name, at, **{"order_id": order, "shop_id": "S1", **fields})

    def chat(self, type_: str, at: int, **fields: Any) -> Self:
        """An event of the topic `chats`, whose type begins with `chat.` where it has no prefix."""
        name = type_ if "." in type_ else f"chat.{type_}"
        return self.add("chats", name, at, **{"shop_id": "S1", **fields})

    def shipped(self, at: int, order: str = "A", *, number: str = "X1", carrier: str = "SF", **fields: Any) -> Self:
        return self.order("shipped", at, order, tracking_no=number, carrier=carrier, **fields)

    def scan(self, status: str, at: int, *, number: str = "X1", carrier: str = "SF", **fields: Any) -> Self:
        return self.add("logistics-scans", "scan", at, tracking_no=number, carrier=carrier, status=status, **fields)

    def placed(
        self, at: int, order: str = "A", *, items: Iterable[tuple[str, str]] = (("i1", "c1"),), **fields: Any
    ) -> Self:
        """`items`: (item, category) of each line."""
        lines = [{"item_id": item, "category_id": category, "quantity": 1} for item, category in items]
        return self.order("placed", at, order, **{"buyer_id": "B1", "items": lines, **fields})

    def paid(self, at: int, order: str = "A", *, ship_by: int | None = None, **fields: Any) -> Self:
        agreed = None if ship_by is None else render(T0 + ship_by)
        return self.order("paid", at, order, ship_by=agreed, **fields)

    def disputed(self, at: int, dispute: str = "D1", *, order: str = "A", **fields: Any) -> Self:
        return self.order("dispute.opened", at, order, dispute_id=dispute, **fields)

    def complained(self, at: int, complaint: str = "K1", **fields: Any) -> Self:
        return self.chat("complaint.filed", at, complaint_id=complaint, **fields)

    def requested(self, at: int, intervention: str = "I1", **fields: Any) -> Self:
        return self.chat("intervention.requested", at, intervention_id=intervention, **fields)

    def message(self, at: int, text: str = "申请介入", *, conversation: str = "C1", **fields: Any) -> Self:
        """A buyer's message that asks for platform staff, unless said otherwise."""
        return self.chat("message", at, **{"conversation_id": conversation, "sender": "buyer", "text": text, **fields})

    def opened(
        self, at: int, kind: str = "urge_shipping", *, ticket: str = "K", respond_by: int | None = None, **fields: Any
    ) -> Self:
        agreed = None if respond_by is None else render(T0 + respond_by)
        return self.chat("ticket.opened", at, ticket_id=ticket, kind=kind, respond_by=agreed, **fields)

    def responded(self, at: int, *, ticket: str = "K", **fields: Any) -> Self:
        return self.chat("ticket.responded", at, ticket_id=ticket, **fields)

    def paused(self, at: int, *, ticket: str = "K", **fields: Any) -> Self:
        return self.chat("ticket.paused", at, ticket_id=ticket, **fields)

    def resumed(self, at: int, *, ticket: str = "K", **fields: Any) -> Self:
        return self.chat("ticket.resumed", at, ticket_id=ticket, **fields)

    def voided(self, at: int, escalation: str, id_: str, *, order: str | None = None, **fields: Any) -> Self:
        """On `orders` where the order is named, else on `chats`."""
        told = {"escalation": escalation, "escalation_id": id_, "reason": "spam", **fields}
        if order is not None:
            return self.order("escalation.voided", at, order, **told)
        return self.chat("escalation.voided", at, **told)


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(heard: Heard) -> tuple[Any, ...]:
    """What must not depend on when it was looked at: all but the order in which it came."""
    tables = sorted({record.table for record in heard.records})
    alerts = sorted(repr(alert) for alert in heard.alerts)
    return alerts, [heard.table(table) for table in tables], heard.late, heard.repeated
