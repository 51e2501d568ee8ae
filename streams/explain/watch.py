"""Reads an input as a replay does, and keeps what concerns the subject."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec

from schemas import events
from schemas.decode import Invalid, KeyTooLarge, decode
from schemas.events import record_key
from streams.engine.processor import BEGINNING
from streams.explain.facts import At, Name, Span
from streams.explain.kept import Kept
from streams.explain.rows import Mark, Row, facts_of, identity_of, names_of, type_of
from streams.explain.subject import ORDER, SHIPMENT, SHOP, Scope, unified
from streams.policy.model import Policy
from streams.replay.reading import Line
from streams.rules.alert import Alert
from streams.rules.alert_types import types_about
from streams.rules.facts import digest
from streams.stages.help_rate.shop_levels import HELP_RATES, Judge
from streams.stages.help_rate.shop_windows import CategoryChange, Closed
from streams.stages.single_reader import SingleReader

#: Events between two looks at what is due.
_STEP = 4096
#: Alerts that concern shipments without being about one.
_AROUND = types_about("carrier", "facility")


class Level(msgspec.Struct, frozen=True):
    """A shop as it was judged at a boundary. `record`: as published in `help-rates`; `baseline`: not rounded."""

    boundary: int
    state: str
    record: dict[str, Any]
    baseline: float | None
    shops: int


class ShopWatch(Judge):
    """Judges as ever, and notes what it says of one shop where it publishes something new, or the state changes."""

    def __init__(self, policy: Policy, shop_id: str) -> None:
        super().__init__(policy)
        self.levels: list[Level] = []
        self.boundary: int | None = None
        self._shop_id = shop_id

    def judge(self, closed: Closed, changes: list[CategoryChange]) -> None:
        """As Judge does it."""
        before = len(self.records)
        super().judge(closed, changes)
        self.boundary = closed.boundary
        for record in self.records[before:]:
            if record.table == HELP_RATES and record.key == self._shop_id and record.value is not None:
                value = record.value
                baseline, shops = self.baseline(value["main_category"])
                self.levels.append(Level(closed.boundary, value["state"], value, baseline, shops))

    def baseline(self, category: str | None) -> tuple[float | None, int]:
        """The category's mean as of the last boundary, not rounded, and how many shops it is the mean of."""
        known = self.categories.get(category) if category is not None else None
        if known is None:
            return None, 0
        return known.baseline(self.policy.help_rate.min_shops), known.shops


class Watch:
    """One reading. `until`: microseconds, or None; `end`, once it has run: where the watermark went."""

    def __init__(self, policy: Policy, until: int | None, scope: Scope) -> None:
        self.policy = policy
        self.until = until
        self.scope = scope
        self.reader = SingleReader(policy, folding=False)
        self.kept = Kept()
        self.rows: list[Row] = []
        self.alerts: list[Alert] = []
        self.end = BEGINNING
        self.shop: ShopWatch | None = None
        if SHOP in scope.kinds:
            self.reader.judge = self.shop = ShopWatch(policy, scope.subject)
        self._lateness = policy.lateness.micros
        self._holders: dict[tuple[str, ...], Row] = {}

    def run(self, lines: Iterable[Line]) -> None:
        """Reads all lines."""
        reader, until = self.reader, self.until
        unlooked = 0
        for number, line in enumerate(lines):
            topic, value = line.topic, line.value
            if topic is None or value is None or value == b"null" or line.reason is not None:
                continue
            try:
                event, time = decode(topic, value)
            except Invalid:
                continue
            event = unified(event, self.policy)
            row = self._row(number, line, event, time, value) if self._concerns(event) else None
            if until is not None and time > until:
                if row is not None:
                    row.left_out = True
                    row.marks.append(Mark("left_out", {"until": At(until)}))
                continue
            self._take(topic, event, time, value, row)
            unlooked += 1
            if unlooked >= _STEP:
                unlooked = 0
                reader.settle()
                self._collect()
        end = until if until is not None else reader.greatest
        self.kept.look(reader, self.scope)
        if end != BEGINNING:
            self.end = end
            reader.finish(end)
        self._collect()

    def _take(self, topic: str, event: events.AnyEvent, time: int, value: bytes, row: Row | None) -> None:
        reader = self.reader
        if row is None:
            with suppress(KeyTooLarge):
                reader.take(topic, event, time, value)
            return
        behind = reader.greatest - time
        late = reader.late
        with suppress(KeyTooLarge):
            row.fresh = reader.take(topic, event, time, value)
        if reader.late > late:
            row.marks.append(Mark("late", {"behind": Span(behind), "allowed": Span(self._lateness[topic])}))
        if row.fresh:
            self._holders[row.identity] = row
        for name in row.names:
            if name.kind == SHIPMENT and name.carrier is not None:
                self.kept.parcel(reader, (name.carrier, name.id))
        if not isinstance(event, events.Scan):
            self.kept.case(reader, record_key(event))

    def holder(self, row: Row) -> Row | None:
        """The event of the same fact that holds instead of this one."""
        holder = self._holders.get(row.identity)
        return holder if holder is not row else None

    def _concerns(self, event: events.AnyEvent) -> bool:
        if isinstance(event, events.Scan):
            return (event.carrier, event.tracking_no) in self.scope.parcels
        if record_key(event) in self.scope.keys:
            return True
        return isinstance(event, events.OrderShipped) and (event.carrier, event.tracking_no) in self.scope.parcels

    def _row(self, number: int, line: Line, event: events.AnyEvent, time: int, value: bytes) -> Row:
        row = Row(
            number,
            line.topic or "",
            line.number,
            time,
            event.event_id,
            type_of(event),
            getattr(event, "shop_id", None),
            names_of(event),
            facts_of(event, self.policy),
            identity_of(event, time),
            (time, event.event_id, digest(value)),
            line.partition,
            line.file,
        )
        self.rows.append(row)
        return row

    def _collect(self) -> None:
        self.kept.look(self.reader, self.scope)
        alerts, _ = self.reader.drain()
        self.alerts += [alert for alert in alerts if self._is_near(alert)]

    def _is_near(self, alert: Alert) -> bool:
        scope = self.scope
        if alert.type in _AROUND or alert.subject == scope.subject or alert.order_id in scope.keys:
            return True
        if SHOP in scope.kinds and alert.shop_id == scope.subject:
            return True
        return alert.carrier is not None and (alert.carrier, alert.subject) in scope.parcels

    def orders_of(self, parcel: Name) -> list[str]:
        """The orders that were shipped in a parcel, as far as anything says so."""
        shipped = [row for row in self.rows if row.type == "order.shipped" and parcel in row.names]
        return list(dict.fromkeys(name.id for row in shipped for name in row.names if name.kind == ORDER))
