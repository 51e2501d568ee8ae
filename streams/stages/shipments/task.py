"""The task that reads scans and registrations: stages 2, 2b and 3 of one partition."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from schemas.decode import KeyTooLarge
from schemas.events import AnyEvent
from streams.engine.processor import BEGINNING, Effects, Horizon, PartitionClock, Record
from streams.engine.table import Table
from streams.rules.shipments.carrier_feeds import Feed, Silent
from streams.rules.shipments.stall_clusters import Facility
from streams.stages import changelog_rows, former_open_alerts
from streams.stages.dataflow import (
    CARRIER_HOURS,
    CLUSTERS,
    EVERYONE,
    FEEDS,
    LINKS,
    REGISTRATIONS,
    SHIPMENTS,
    STALL_POINTS,
)
from streams.stages.open_alerts import OpenAlerts, OpenRow
from streams.stages.shipments import native_scans, parcel_rows, scan_ties
from streams.stages.shipments.book import SLICE, ShipmentBook
from streams.stages.shipments.carrier_feeds import FeedBook
from streams.stages.shipments.stall_clusters import ClusterBook
from streams.stages.task_context import Setting

_NAME = b"n"
_HOUR = b"g"
_FEED = b"f"
_FACILITY = b"c"
_HORIZONS = b"h"


class ShipmentsHorizons(msgspec.Struct, array_like=True, gc=False):
    """How far the stages have advanced, and how many alerts are open by then.

    `returning`: carriers whose feed resumed, with parcels still to be judged.
    """

    shipments: tuple[int, bool] = (BEGINNING, False)
    feeds: tuple[int, bool] = (BEGINNING, False)
    clusters: tuple[int, bool] = (BEGINNING, False)
    returning: list[str] = msgspec.field(default_factory=list)
    open: list[OpenRow] | None = None


_decode_hour = msgspec.msgpack.Decoder(tuple[int, int]).decode
#: The boundary was here in older versions.
_decode_feed = msgspec.msgpack.Decoder(tuple[int | None, list[Silent]]).decode
_decode_facility = msgspec.msgpack.Decoder(Facility).decode
_decode_horizons = msgspec.msgpack.Decoder(ShipmentsHorizons).decode


class ShipmentsTask:
    """The processor of one partition of the scans. Its parcels may be kept in a table."""

    letter = parcel_rows.PARCEL_LETTER

    def __init__(self, setting: Setting, partition: int) -> None:
        self._setting = setting
        self._partition = partition
        self._feeds = FeedBook(setting.policy, lambda carrier: setting.scan_partition(carrier) == partition)
        self._book = ShipmentBook(setting.policy, self._feeds, setting.counts.two_names)
        self._clusters = ClusterBook(setting.policy)
        self._intake = setting.intake(setting.scan_partitions)
        self._native = native_scans.usable(setting.native, self._book)
        self._rows = changelog_rows.ChangelogRows()
        self._saved = ShipmentsHorizons()
        self.open_alerts = OpenAlerts()

    def events(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        native = self._native
        if native is None:
            self._take(topic, partition, records, clock)
            return
        intake = self._intake
        belongs = (partition, intake.partitions) if intake.by_murmur2 else partial(intake.belongs, partition=partition)
        place = handed_back = 0
        while (place := native.take(records, place, clock, belongs)) < len(records):
            self._take(topic, partition, records[place : place + 1], clock)
            place += 1
            handed_back += 1
        self._setting.counts.native += len(records) - handed_back

    def _take(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        book = self._book
        for event, time, _, record, value in self._intake.events(topic, partition, records, clock, self._knows):
            try:
                if not book.scan(event, time, value):  # type: ignore[arg-type]
                    self._setting.counts.repeated += 1
            except KeyTooLarge as invalid:
                self._intake.bury(topic, partition, record, invalid)

    def envelope(self, edge: str, _source: int, records: Sequence[Any]) -> None:
        if edge == REGISTRATIONS:
            take: Callable[[Any], None] = self._book.register
        elif edge == CARRIER_HOURS:
            take = self._feeds.hear
        else:
            take = self._clusters.take
        for record in records:
            take(record)

    def advance(self, horizons: Mapping[str, Horizon]) -> bool:
        if self._book.advance(horizons[SHIPMENTS], horizons[FEEDS], SLICE):
            return True
        self._clusters.advance(horizons[CLUSTERS])
        return False

    @property
    def awaited(self) -> bool:
        return bool(self._book.alerts or self._feeds.alerts or self._clusters.alerts)

    @property
    def held(self) -> int:
        """Bytes of records in dead letters."""
        return self._intake.held

    def collect(self) -> Effects:
        book, setting = self._book, self._setting
        effects = Effects()
        for source in (book, self._feeds, self._clusters):
            for alert in source.alerts:
                effects.outputs += setting.alert(alert)
                self.open_alerts.take(alert)
            source.alerts.clear()
        effects.outputs += self._intake.letters()
        if book.links or book.told:
            sends: dict[int, list[Any]] = {}
            for link in book.links:
                sends.setdefault(setting.order_partition(link[1]), []).append(link)
            for told in book.told:
                sends.setdefault(setting.order_partition(told[1]), []).append(told)
            effects.sends[LINKS] = sends
            book.links.clear()
            book.told.clear()
        if book.points:
            sends = {}
            for point in book.points:
                sends.setdefault(setting.scan_partition(point[1]), []).append(point)
            effects.sends[STALL_POINTS] = sends
            book.points.clear()
        counts = book.scan_counts.drain()
        if counts:
            effects.sends[CARRIER_HOURS] = {EVERYONE: counts}
        self._collect_rows(effects.rows)
        if self._native is not None:
            self._native.collect(effects.keyed)
        self._collect_horizons(effects)
        return effects

    def attach(self, table: Table) -> None:
        self._book.rows = table
        if self._native is not None:
            self._native.attached()

    def restore(self, saved: Iterable[tuple[bytes, bytes]]) -> None:
        book = self._book
        names: list[tuple[int, str]] = []
        unsettled: list[tuple[bytes, bytes]] = []
        facilities: dict[str, Facility] = {}
        for key, value in self._rows.whole(saved, parcel_rows.PARCEL_LETTER):
            match key[:1]:
                case parcel_rows.PARCEL_LETTER:
                    book.rows[key] = value
                case b"n":
                    names.append((int.from_bytes(key[1:]), value.decode()))
                case scan_ties.TIES_LETTER:
                    unsettled.append((key, value))
                case b"g":
                    _, (carrier, hour) = changelog_rows.parts_of(key)
                    self._feed(carrier).add(hour, *_decode_hour(value))
                case b"f":
                    feed = self._feed(changelog_rows.parts_of(key)[1][0])
                    _, feed.silences = _decode_feed(value)
                case b"c":
                    facilities[changelog_rows.parts_of(key)[1][0]] = _decode_facility(value)
                case _:
                    self._saved = _decode_horizons(value)
        self._feeds.rebuild(Horizon(*self._saved.feeds))
        book.names.rebuild(names)
        book.ties.rebuild(unsettled)
        book.rebuild(Horizon(*self._saved.shipments), self._saved.returning)
        if self._saved.open is None:
            self.open_alerts.count(former_open_alerts.of_shipments(book, self._feeds))
        else:
            self.open_alerts.restore(self._saved.open)
        self._clusters.rebuild(facilities, Horizon(*self._saved.clusters))

    @property
    def sizes(self) -> Mapping[str, int]:
        """Rows of the state by table."""
        feeds, facilities = len(self._feeds.feeds), len(self._clusters.facilities)
        return {"parcels": self._book.rows.size(), "feeds": feeds, "facilities": facilities}

    @property
    def due_bytes(self) -> int:
        """The size of the due index."""
        return self._book.due_bytes

    @property
    def silent_carriers(self) -> Collection[str]:
        """The carriers whose feed is silent, of those whose alerts this task emits."""
        return self._feeds.silent(own=True)

    def _knows(self, event: AnyEvent, key: str) -> bool:
        del key
        return self._book.knows(event)  # type: ignore[arg-type]

    def _feed(self, carrier: str) -> Feed:
        return self._feeds.feeds.setdefault(carrier, Feed(carrier))

    def _collect_rows(self, changed: dict[bytes, bytes | None]) -> None:
        book, feeds, clusters = self._book, self._feeds, self._clusters
        book.fold()
        changed.update(book.changed)
        book.ties.collect(book.horizon.settled, changed)
        for number in book.names.changed:
            changed[_NAME + number.to_bytes(4)] = book.names.text(number).encode()
        for carrier, hour in feeds.changed_hours:
            row = changelog_rows.row_key(_HOUR, carrier, hour)
            self._rows.put(changed, row, feeds.feeds[carrier].hours.get(hour))
        for carrier in feeds.changed:
            feed = feeds.feeds[carrier]
            self._rows.put(changed, changelog_rows.row_key(_FEED, carrier), (None, feed.silences))
        for name in clusters.changed:
            self._rows.put(changed, changelog_rows.row_key(_FACILITY, name), clusters.facilities.get(name))
        for done in (book.changed, book.names.changed, feeds.changed_hours, feeds.changed, clusters.changed):
            done.clear()

    def _collect_horizons(self, effects: Effects) -> None:
        """Written together with their output, and at the end; a restart may resume from older horizons."""
        book, feeds, clusters = self._book, self._feeds, self._clusters
        horizons = ShipmentsHorizons(
            _plain(book.horizon),
            _plain(feeds.horizon),
            _plain(clusters.horizon),
            sorted(book.returning),
            self.open_alerts.rows,
        )
        told = effects.rows or effects.keyed or effects.outputs or effects.sends
        if horizons != self._saved and (told or book.horizon.final):
            self._saved = horizons
            self._rows.put(effects.rows, changelog_rows.row_key(_HORIZONS), horizons)


def _plain(horizon: Horizon) -> tuple[int, bool]:
    return horizon.watermark, horizon.final
