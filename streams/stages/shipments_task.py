"""The task that reads scans and registrations: stages 2, 2b and 3 of one partition."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from schemas.events import AnyEvent
from streams.engine.processor import BEGINNING, Effects, Horizon, PartitionClock, Record
from streams.rules.alert import PLATFORM, RAISED
from streams.rules.clusters import Facility
from streams.rules.feeds import Feed, Silent
from streams.rules.reconcile import OPEN, Emitted
from streams.rules.shipments import Parcel, Registration
from streams.rules.silences import STALLED
from streams.rules.statuses import BITS
from streams.stages import rows
from streams.stages.clusters import ClusterBook
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
from streams.stages.feeds import FeedBook
from streams.stages.settings import Setting
from streams.stages.shipments import Key, ShipmentBook

_PARCEL = b"p"
_HOUR = b"g"
_FEED = b"f"
_FACILITY = b"c"
_HORIZONS = b"h"


class ParcelRow(msgspec.Struct, array_like=True, gc=False):
    """A parcel in the changelog. `ties`: values of scans that are not settled, by the scan.

    The last four could be worked out again; kept, they make a restore a matter of reading.
    """

    scans: bytes
    facilities: list[str | None]
    registrations: list[Registration]
    emitted: list[Emitted]
    ties: list[tuple[int, bytes]]
    linked: list[tuple[str, str, int, int | None]]
    last: int
    calm: bool
    finished: int
    due: int | None


class Horizons(msgspec.Struct, array_like=True, gc=False):
    """How far the stages have been advanced."""

    shipments: tuple[int, bool] = (BEGINNING, False)
    feeds: tuple[int, bool] = (BEGINNING, False)
    clusters: tuple[int, bool] = (BEGINNING, False)


_decode_parcel = msgspec.msgpack.Decoder(ParcelRow).decode
_decode_hour = msgspec.msgpack.Decoder(tuple[int, int]).decode
_decode_feed = msgspec.msgpack.Decoder(tuple[int | None, list[Silent]]).decode
_decode_facility = msgspec.msgpack.Decoder(Facility).decode
_decode_horizons = msgspec.msgpack.Decoder(Horizons).decode


class ShipmentsTask:
    """The processor of one partition of the scans."""

    def __init__(self, setting: Setting, partition: int) -> None:
        self._setting = setting
        self._partition = partition
        self._feeds = FeedBook(setting.policy, lambda carrier: setting.scan_partition(carrier) == partition)
        self._book = ShipmentBook(setting.policy, self._feeds)
        self._clusters = ClusterBook(setting.policy)
        self._intake = setting.intake(setting.scan_partitions)
        self._saved = Horizons()
        #: How many stalls the platform has been told of that are not resolved.
        self.open_stalls = 0
        setting.counts.shipments.add(self)

    def events(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        book = self._book
        for event, time, _, value in self._intake.events(topic, partition, records, clock, self._knows):
            if not book.scan(event, time, value):  # type: ignore[arg-type]
                self._setting.counts.repeated += 1

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
        self._book.advance(horizons[SHIPMENTS], horizons[FEEDS])
        self._clusters.advance(horizons[CLUSTERS])
        return False

    def collect(self) -> Effects:
        book, setting = self._book, self._setting
        effects = Effects()
        for alert in book.alerts:
            if alert.type == STALLED and PLATFORM in alert.audiences:
                self.open_stalls += 1 if alert.status == RAISED else -1
        for source in (book, self._feeds, self._clusters):
            for alert in source.alerts:
                effects.outputs += setting.alert(alert)
            source.alerts.clear()
        effects.outputs += self._intake.dead
        self._intake.dead.clear()
        if book.links:
            sends: dict[int, list[Any]] = {}
            for link in book.links:
                sends.setdefault(setting.order_partition(link[1]), []).append(link)
            effects.sends[LINKS] = sends
            book.links.clear()
        if book.points:
            sends = {}
            for point in book.points:
                sends.setdefault(setting.scan_partition(point[1]), []).append(point)
            effects.sends[STALL_POINTS] = sends
            book.points.clear()
        heard = book.heard.drain()
        if heard:
            effects.sends[CARRIER_HOURS] = {EVERYONE: heard}
        self._collect_rows(effects.rows)
        self._collect_horizons(effects)
        return effects

    def restore(self, saved: Iterable[tuple[bytes, bytes]]) -> None:
        parcels: dict[Key, Parcel] = {}
        ties: list[tuple[Key, int, bytes]] = []
        facilities: dict[str, Facility] = {}
        for key, value in saved:
            letter, parts = rows.parts_of(key)
            match letter:
                case b"p":
                    carrier, tracking_no = parts
                    kept = _decode_parcel(value)
                    parcels[carrier, tracking_no] = _parcel(carrier, tracking_no, kept)
                    ties += [((carrier, tracking_no), packed, tie) for packed, tie in kept.ties]
                case b"g":
                    count, first = _decode_hour(value)
                    self._feed(parts[0]).add(parts[1], count, first)
                case b"f":
                    feed = self._feed(parts[0])
                    feed.boundary, feed.silences = _decode_feed(value)
                case b"c":
                    facilities[parts[0]] = _decode_facility(value)
                case _:
                    self._saved = _decode_horizons(value)
        self._feeds.horizon = Horizon(*self._saved.feeds)
        self._book.rebuild(parcels, ties, Horizon(*self._saved.shipments))
        self._clusters.rebuild(facilities, Horizon(*self._saved.clusters))
        self.open_stalls = sum(
            sent.state == OPEN and sent.type == STALLED and PLATFORM in sent.audiences
            for parcel in parcels.values()
            for sent in parcel.emitted
        )

    def _knows(self, event: AnyEvent, key: str) -> bool:
        return (event.carrier, key) in self._book.parcels  # type: ignore[union-attr]

    def _feed(self, carrier: str) -> Feed:
        return self._feeds.feeds.setdefault(carrier, Feed(carrier))

    def _collect_rows(self, changed: dict[bytes, bytes | None]) -> None:
        book, feeds, clusters = self._book, self._feeds, self._clusters
        for key in book.changed:
            parcel = book.parcels.get(key)
            rows.put(changed, rows.row_key(_PARCEL, *key), None if parcel is None else self._row(key, parcel))
        for carrier, hour in feeds.changed_hours:
            rows.put(changed, rows.row_key(_HOUR, carrier, hour), feeds.feeds[carrier].hours.get(hour))
        for carrier in feeds.changed:
            feed = feeds.feeds[carrier]
            rows.put(changed, rows.row_key(_FEED, carrier), (feed.boundary, feed.silences))
        for name in clusters.changed:
            rows.put(changed, rows.row_key(_FACILITY, name), clusters.facilities.get(name))
        for done in (book.changed, feeds.changed_hours, feeds.changed, clusters.changed):
            done.clear()

    def _collect_horizons(self, effects: Effects) -> None:
        """Kept beside what they have led to; without that, a restart may go back to older ones."""
        book, feeds, clusters = self._book, self._feeds, self._clusters
        horizons = Horizons(_plain(book.horizon), _plain(feeds.horizon), _plain(clusters.horizon))
        if horizons != self._saved and (effects.rows or effects.outputs or effects.sends):
            self._saved = horizons
            rows.put(effects.rows, rows.row_key(_HORIZONS), horizons)

    def _row(self, key: Key, parcel: Parcel) -> ParcelRow:
        ties = []
        for packed in reversed(parcel.scans):
            if packed >> BITS < self._book.horizon.settled:
                break
            value = self._book.tie(key, packed)
            if value is not None:
                ties.append((packed, value))
        return ParcelRow(
            parcel.scans.tobytes(),
            parcel.facilities,
            parcel.registrations,
            parcel.emitted,
            ties,
            [(*key, *span) for key, span in parcel.linked.items()],
            parcel.last,
            parcel.calm,
            parcel.finished,
            parcel.due,
        )


def _parcel(carrier: str, tracking_no: str, kept: ParcelRow) -> Parcel:
    scans = array("q")
    scans.frombytes(kept.scans)
    return Parcel(
        carrier,
        tracking_no,
        scans,
        kept.facilities,
        kept.registrations,
        kept.emitted,
        {(order, name): (since, until) for order, name, since, until in kept.linked},
        kept.last,
        kept.calm,
        kept.finished,
        kept.due,
    )


def _plain(horizon: Horizon) -> tuple[int, bool]:
    return horizon.watermark, horizon.final
