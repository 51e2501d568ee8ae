"""The task that reads scans and registrations: stage 2 of one partition."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from schemas.events import AnyEvent
from streams.engine.processor import BEGINNING, Effects, Horizon, PartitionClock, Record
from streams.rules.alert import PLATFORM, RAISED
from streams.rules.reconcile import OPEN, Emitted
from streams.rules.shipments import Parcel, Registration
from streams.rules.silences import STALLED
from streams.rules.statuses import BITS
from streams.stages import rows
from streams.stages.dataflow import LINKS, SHIPMENTS
from streams.stages.settings import Setting
from streams.stages.shipments import Key, ShipmentBook

_PARCEL = b"p"
_HORIZON = b"h"


class ParcelRow(msgspec.Struct, array_like=True, gc=False):
    """A parcel in the changelog. `ties`: values of scans that are not settled, by the scan.

    The last four could be worked out again; kept, they make a restore a matter of reading.
    """

    scans: bytes
    facilities: list[str | None]
    registrations: list[Registration]
    emitted: list[Emitted]
    ties: list[tuple[int, bytes]]
    last: int
    calm: bool
    finished: int
    due: int | None


_decode_parcel = msgspec.msgpack.Decoder(ParcelRow).decode
_decode_horizon = msgspec.msgpack.Decoder(tuple[int, bool]).decode


class ShipmentsTask:
    """The processor of one partition of the scans."""

    def __init__(self, setting: Setting, partition: int) -> None:
        self._setting = setting
        self._partition = partition
        self._book = ShipmentBook(setting.policy)
        self._intake = setting.intake(setting.scan_partitions)
        self._horizon_changed = False
        #: How many stalls the platform has been told of that are not resolved.
        self.open_stalls = 0
        setting.counts.shipments.add(self)

    def events(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        book = self._book
        for event, time, _, value in self._intake.events(topic, partition, records, clock, self._knows):
            if not book.scan(event, time, value):  # type: ignore[arg-type]
                self._setting.counts.repeated += 1

    def envelope(self, _edge: str, _source: int, records: Sequence[Any]) -> None:
        for record in records:
            self._book.register(record)

    def advance(self, horizons: Mapping[str, Horizon]) -> bool:
        horizon = horizons[SHIPMENTS]
        if horizon != self._book.horizon:
            self._book.advance(horizon)
            self._horizon_changed = True
        return False

    def collect(self) -> Effects:
        book, setting = self._book, self._setting
        effects = Effects()
        for alert in book.alerts:
            effects.outputs += setting.alert(alert)
            if alert.type == STALLED and PLATFORM in alert.audiences:
                self.open_stalls += 1 if alert.status == RAISED else -1
        book.alerts.clear()
        effects.outputs += self._intake.dead
        self._intake.dead.clear()
        if book.links:
            sends: dict[int, list[Any]] = {}
            for link in book.links:
                sends.setdefault(setting.order_partition(link[1]), []).append(link)
            effects.sends[LINKS] = sends
            book.links.clear()
        for key in book.changed:
            parcel = book.parcels.get(key)
            rows.put(effects.rows, rows.row_key(_PARCEL, *key), None if parcel is None else self._row(key, parcel))
        book.changed.clear()
        if self._horizon_changed:
            rows.put(effects.rows, rows.row_key(_HORIZON), tuple(book.horizon))
            self._horizon_changed = False
        return effects

    def restore(self, saved: Iterable[tuple[bytes, bytes]]) -> None:
        parcels: dict[Key, Parcel] = {}
        ties: list[tuple[Key, int, bytes]] = []
        horizon = Horizon(BEGINNING)
        for row, value in saved:
            letter, parts = rows.parts_of(row)
            if letter == _HORIZON:
                horizon = Horizon(*_decode_horizon(value))
                continue
            carrier, tracking_no = parts
            kept = _decode_parcel(value)
            scans = array("q")
            scans.frombytes(kept.scans)
            parcels[carrier, tracking_no] = Parcel(
                carrier,
                tracking_no,
                scans,
                kept.facilities,
                kept.registrations,
                kept.emitted,
                kept.last,
                kept.calm,
                kept.finished,
                kept.due,
            )
            ties += [((carrier, tracking_no), packed, tie) for packed, tie in kept.ties]
        self._book.rebuild(parcels, ties, horizon)
        self.open_stalls = sum(
            sent.state == OPEN and sent.type == STALLED and PLATFORM in sent.audiences
            for parcel in parcels.values()
            for sent in parcel.emitted
        )

    def _knows(self, event: AnyEvent, key: str) -> bool:
        return (event.carrier, key) in self._book.parcels  # type: ignore[union-attr]

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
            parcel.last,
            parcel.calm,
            parcel.finished,
            parcel.due,
        )
