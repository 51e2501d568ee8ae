"""The task that reads orders and chats: stages 1, 4, 5 and 6 of one partition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from schemas.decode import KeyTooLarge
from schemas.events import AnyEvent
from streams.engine.processor import BEGINNING, Effects, Horizon, Output, PartitionClock, Record
from streams.engine.table import Table
from streams.rules.cases.case import KINDS
from streams.rules.help_rate.parcels_at_risk import OpenAlert
from streams.stages import changelog_rows, former_open_alerts
from streams.stages.cases.book import OrderBook
from streams.stages.cases.table import CASE_LETTER
from streams.stages.dataflow import (
    BOUNDARIES,
    CATEGORY_SUMS,
    COUNTS_HORIZON,
    EVERYONE,
    JUDGEMENT,
    LINKS,
    OWN,
    REGISTRATIONS,
    SHOP_DELTAS,
)
from streams.stages.help_rate.former_items import FormerItems
from streams.stages.help_rate.shipment_alerts import ALERT_LETTER, ShipmentAlerts, ShopAlertKey
from streams.stages.help_rate.shop_levels import Category, Judge, Shop
from streams.stages.help_rate.shop_windows import CategoryChange, Closed, Figures, HourChange, Row, ShopBook, combine
from streams.stages.open_alerts import OpenAlerts, OpenRow
from streams.stages.shipments import native_scans
from streams.stages.task_context import Setting

_ROW = b"r"
_WAITING = b"w"
_MEMBER = b"m"
_SHOP = b"s"
_CATEGORY = b"k"
_PENDING = b"p"
_HORIZONS = b"h"


#: Category changes per record, each of at most 128 characters and 300 digits.
CHANGES_OF_A_RECORD = 500


class CategoryRow(msgspec.Struct, array_like=True, gc=False):
    """A category in the changelog; `total` in hexadecimal."""

    members: int
    shops: int
    total: str
    published: tuple[int, float | None] | None


class Pending(msgspec.Struct, array_like=True, gc=True):
    """A boundary closed here but not judged yet: own figures, and changes from all partitions."""

    figures: list[Figures] = msgspec.field(default_factory=list)
    changes: list[CategoryChange] = msgspec.field(default_factory=list)


class OrdersHorizons(msgspec.Struct, array_like=True, gc=False):
    """How far the stages have been advanced, and how many alerts are open by then; None if 0.1.0 wrote it."""

    own: tuple[int, bool] = (BEGINNING, False)
    counts: tuple[int, bool] = (BEGINNING, False)
    next_boundary: int = BEGINNING
    open: list[OpenRow] | None = None


_row = msgspec.msgpack.Decoder(Row).decode
_member = msgspec.msgpack.Decoder(tuple[str | None, str | None, list[str]]).decode
_shop = msgspec.msgpack.Decoder(Shop).decode
_category = msgspec.msgpack.Decoder(CategoryRow).decode
_pending = msgspec.msgpack.Decoder(Pending).decode
_alert = msgspec.msgpack.Decoder(OpenAlert).decode
_horizons = msgspec.msgpack.Decoder(OrdersHorizons).decode


class OrdersTask:
    """The processor of one partition of the orders and chats. Its cases may be kept in a table."""

    letter = CASE_LETTER

    def __init__(self, setting: Setting, partition: int) -> None:
        self._setting = setting
        self._partition = partition
        self._orders = OrderBook(setting.policy, setting.buyer_hash)
        self._orders.cases.rows = native_scans.empty_rows(setting.native)
        self._shops = ShopBook(setting.policy)
        self._former = FormerItems(setting.policy)
        self._shipment_alerts = ShipmentAlerts(setting.policy)
        self._judge = Judge(
            setting.policy, self._shipment_alerts, lambda category: setting.order_partition(category) == partition
        )
        self._intake = setting.intake(setting.order_partitions)
        self._rows = changelog_rows.ChangelogRows()
        self._pending: dict[int, Pending] = {}
        self._changed_pending: set[int] = set()
        self._changed_members: set[str] = set()
        self._sums: list[tuple[int, list[CategoryChange]]] = []
        self._saved_horizons = OrdersHorizons()
        self.open_alerts = OpenAlerts()

    def events(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        take = self._orders.take
        for event, time, key, record, value in self._intake.events(topic, partition, records, clock, self._knows):
            try:
                if not take(event, time, key, value):
                    self._setting.counts.repeated += 1
            except KeyTooLarge as invalid:
                self._intake.bury(topic, partition, record, invalid)

    def envelope(self, edge: str, _source: int, records: Sequence[Any]) -> None:
        if edge == LINKS:
            for record in records:
                if record[0].startswith("alert_"):
                    self._shipment_alerts.take(tuple(record))
                    continue
                what, order_id, episode, time = record
                self._orders.link(
                    order_id, episode, time if what == "opened" else None, time if what == "closed" else None
                )
        elif edge == SHOP_DELTAS:
            for record in records:
                change = msgspec.convert(record, HourChange)
                self._former.row(change.row)
                self._shops.add(change)
        else:
            for boundary, changes in records:
                self._await_judgement(boundary).changes += msgspec.convert(changes, list[CategoryChange])

    def advance(self, horizons: Mapping[str, Horizon]) -> bool:
        own, counts = horizons[OWN], horizons[COUNTS_HORIZON]
        if own.settled != self._orders.settled:
            self._orders.settle(own.settled)
        if (own, counts) != (self._orders.own, self._orders.counts):
            self._orders.advance(own, counts)
        more = self._shops.advance(horizons[BOUNDARIES], at_most=200)
        for closed in self._shops.closed:
            self._await_judgement(closed.boundary).figures += closed.figures
            self._changed_members.update(figures.shop_id for figures in closed.figures)
            if closed.changes:
                self._sums.append((closed.boundary, closed.changes))
        self._shops.closed.clear()
        judged = horizons[JUDGEMENT].watermark
        for boundary in sorted(boundary for boundary in self._pending if boundary < judged):
            pending = self._pending.pop(boundary)
            self._changed_pending.add(boundary)
            self._judge.judge(Closed(boundary, pending.figures, []), pending.changes)
        self._shipment_alerts.advance(judged)
        return more

    @property
    def awaited(self) -> bool:
        return bool(self._orders.alerts or self._judge.alerts)

    @property
    def held(self) -> int:
        """Bytes of records in dead letters."""
        return self._intake.held

    def collect(self) -> Effects:
        effects = Effects()
        self._setting.counts.repeated += self._orders.filing.repeated
        self._orders.filing.repeated = 0
        self._collect_outputs(effects.outputs)
        self._collect_sends(effects.sends)
        self._collect_rows(effects.rows)
        self._collect_horizons(effects)
        return effects

    def attach(self, table: Table) -> None:
        self._orders.cases.rows = table

    def restore(self, saved: Iterable[tuple[bytes, bytes]]) -> None:
        hours: dict[tuple[str, int], Row] = {}
        waiting: dict[int, dict[tuple[str, int], Row]] = {}
        members: dict[str, tuple[str | None, str | None, list[str]]] = {}
        shops: dict[str, Shop] = {}
        categories: dict[str, Category] = {}
        alerts: list[tuple[ShopAlertKey, OpenAlert]] = []
        for key, value in self._rows.whole(saved, CASE_LETTER):
            if key[:1] == CASE_LETTER:
                self._orders.cases.rows[key] = value
                continue
            letter, parts = changelog_rows.parts_of(key)
            match letter:
                case b"r":
                    hours[parts[0], parts[1]] = self._former.row(_row(value))
                case b"w":
                    waiting.setdefault(parts[0], {})[parts[1], parts[2]] = self._former.row(_row(value))
                case b"m":
                    members[parts[0]] = _member(value)
                case b"s":
                    shop = shops[parts[0]] = _shop(value)
                    self._former.figures(shop.figures)
                case b"k":
                    kept = _category(value)
                    categories[parts[0]] = Category(kept.members, kept.shops, int(kept.total, 16), kept.published)
                case b"p":
                    pending = self._pending[parts[0]] = _pending(value)
                    for figures in pending.figures:
                        self._former.figures(figures)
                case _ if letter == ALERT_LETTER:
                    alerts.append(((parts[0], parts[1], parts[2]), _alert(value)))
                case _:
                    self._saved_horizons = _horizons(value)
        self._shipment_alerts.rebuild(alerts)
        saved_horizons = self._saved_horizons
        self._orders.rebuild(Horizon(*saved_horizons.own), Horizon(*saved_horizons.counts))
        self._shops.rebuild(hours, waiting, members, saved_horizons.next_boundary)
        self._judge.rebuild(categories, shops)
        if saved_horizons.open is None:
            self.open_alerts.count(former_open_alerts.of_orders(self._orders.cases, shops.values()))
        else:
            self.open_alerts.restore(saved_horizons.open)

    @property
    def unsettled(self) -> int:
        """Number of deferred events."""
        return self._orders.filing.deferred

    @property
    def sizes(self) -> Mapping[str, int]:
        """Rows of the state by table."""
        return {"cases": self._orders.cases.rows.size(), "shops": len(self._judge.shops)}

    @property
    def due_bytes(self) -> int:
        """The size of the due indexes."""
        return self._orders.due_bytes

    @property
    def levels(self) -> Mapping[str, int]:
        """The number of shops by level."""
        return self._judge.by_level

    def _knows(self, _event: AnyEvent, key: str) -> bool:
        return key in self._orders.cases

    def _await_judgement(self, boundary: int) -> Pending:
        self._changed_pending.add(boundary)
        return self._pending.setdefault(boundary, Pending())

    def _collect_outputs(self, outputs: list[Output]) -> None:
        for alert in self._orders.alerts + self._judge.alerts:
            outputs += self._setting.alert(alert)
            self.open_alerts.take(alert)
        self.open_alerts.abandon(self._orders.abandoned)
        self._orders.abandoned.clear()
        self._orders.alerts.clear()
        self._judge.alerts.clear()
        for records in (self._judge.records, self._shops.tallies.records):
            outputs += (self._setting.table(record) for record in records)
            records.clear()
        outputs += self._intake.letters()

    def _collect_sends(self, sends: dict[str, dict[int, list[Any]]]) -> None:
        orders, setting = self._orders, self._setting
        for record in orders.registrations:
            target = setting.scan_partition(record[2])
            sends.setdefault(REGISTRATIONS, {}).setdefault(target, []).append(record)
        orders.registrations.clear()
        for delta in orders.deltas:
            if 0 <= delta.kind < len(KINDS):
                setting.counts.help_rates[KINDS[delta.kind], delta.sign < 0] += 1
        for change in combine(orders.deltas):
            target = setting.order_partition(change.shop_id)
            sends.setdefault(SHOP_DELTAS, {}).setdefault(target, []).append(change)
        orders.deltas.clear()
        if self._sums:
            sends[CATEGORY_SUMS] = {EVERYONE: list(in_parts(self._sums))}
            self._sums.clear()

    def _collect_rows(self, changed: dict[bytes, bytes | None]) -> None:
        orders, shops, judge = self._orders, self._shops, self._judge
        changed.update(orders.fold())
        for shop_id, hour in shops.changed_rows:
            self._rows.put(changed, changelog_rows.row_key(_ROW, shop_id, hour), shops.rows.get((shop_id, hour)))
        for boundary, shop_id, hour in shops.changed_waiting:
            row = shops.waiting.get(boundary, {}).get((shop_id, hour))
            self._rows.put(changed, changelog_rows.row_key(_WAITING, boundary, shop_id, hour), row)
        for shop_id in self._changed_members:
            self._rows.put(changed, changelog_rows.row_key(_MEMBER, shop_id), shops.membership(shop_id))
        for shop_id in judge.changed_shops:
            self._rows.put(changed, changelog_rows.row_key(_SHOP, shop_id), judge.shops.get(shop_id))
        for name in judge.changed_categories:
            category = judge.categories.get(name)
            row_of = category and CategoryRow(
                category.members, category.shops, format(category.total, "x"), category.published
            )
            self._rows.put(changed, changelog_rows.row_key(_CATEGORY, name), row_of)
        for alert in self._shipment_alerts.changed:
            self._rows.put(changed, changelog_rows.row_key(ALERT_LETTER, *alert), self._shipment_alerts.get(alert))
        for boundary in self._changed_pending:
            self._rows.put(changed, changelog_rows.row_key(_PENDING, boundary), self._pending.get(boundary))
        for done in (
            shops.changed_rows,
            shops.changed_waiting,
            self._changed_members,
            judge.changed_shops,
            judge.changed_categories,
            self._changed_pending,
            self._shipment_alerts.changed,
        ):
            done.clear()

    def _collect_horizons(self, effects: Effects) -> None:
        """Written together with their output, and at the end; a restart may resume from older horizons."""
        own, counts = self._orders.own, self._orders.counts
        horizons = OrdersHorizons(
            (own.watermark, own.final),
            (counts.watermark, counts.final),
            self._shops.next_boundary,
            self.open_alerts.rows,
        )
        if horizons != self._saved_horizons and (effects.rows or effects.outputs or effects.sends or own.final):
            self._saved_horizons = horizons
            self._rows.put(effects.rows, changelog_rows.row_key(_HORIZONS), horizons)


def in_parts(sums: Iterable[tuple[int, list[CategoryChange]]]) -> Iterator[tuple[int, list[CategoryChange]]]:
    """Splits changes over records, so that none exceeds the log's limit."""
    for boundary, changes in sums:
        for start in range(0, len(changes), CHANGES_OF_A_RECORD):
            yield boundary, changes[start : start + CHANGES_OF_A_RECORD]
