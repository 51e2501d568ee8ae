"""Scans for the measurements: parcels, some of which fall silent, and the alerts to expect.

Everything is drawn from a seed. Each parcel has ten scans on average, some hours apart; one in twenty falls silent for
more than a week, and of those two in five for good. Scans reach Kafka up to 45 minutes after they happened, hence out
of order but on time. What the alerts are is worked out here from the parcels' own histories: no contender is the
measure of the others.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

from schemas.times import CHINA
from streams.engine.partitioner import partition_for

PARTITIONS = 4
#: Scans of one parcel, on average.
EACH = 10
#: Of a hundred parcels so many fall silent, where nothing else is asked for; two in five of them for good.
SILENT = 5
#: Seconds of silence after which a parcel is stalled, where it is longer.
WEEK = 168 * 3600

#: All of what follows in seconds since 1970 UTC, or for so long.
START = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp())
_HOUR, _DAY = 3600, 86_400
#: Parcels set out within so long; the last alert is due some 43 days after the start.
_SETTING_OUT = 30 * _DAY
END = START + 60 * _DAY
#: Below the lateness of an hour that every contender allows.
_LONGEST_DELAY = 45 * 60

_UNDER_WAY = (b"departed", b"arrived", b"in_transit", b"out_for_delivery")
_FIRST, _LAST = b"picked_up", b"delivered"
_REGIONS = ("浙江", "江苏", "广东", "四川", "北京", "湖北", "山东", "福建")
_FACILITIES = tuple(f"{region}分拨中心-{number:02d}" for region in _REGIONS for number in range(50))
_VALUE = (
    b'{"event_id":"%s-%d","type":"scan","occurred_at":"%s","tracking_no":"%s","carrier":"%s","status":"%s",'
    b'"facility":"%s","region":"%s"}'
)
#: Scans per carrier: so few that no carrier's feed is ever missed when the last parcels have come in.
_PER_CARRIER = 250_000


class Alert(NamedTuple):
    """`time` in milliseconds since 1970 UTC: of a raise the last scan and a week, of a resolution the scan's."""

    tracking_no: str
    status: str
    time: int


class Sent(NamedTuple):
    """One record as it reaches Kafka; `timestamp` in milliseconds."""

    partition: int
    timestamp: int
    key: bytes
    value: bytes


@dataclass(slots=True)
class Scans:
    """`count` scans of `count / 10` parcels, and a last one in each partition that takes event time to `END`."""

    count: int
    seed: int = 1
    silent: int = SILENT
    #: Whether what is not ASCII is written as \\uXXXX, as many producers do.
    escaped: bool = False
    #: What a reader of all of them, up to `END`, says.
    alerts: set[Alert] = field(default_factory=set)
    _times: array[int] = field(default_factory=lambda: array("q"))
    _parcels: array[int] = field(default_factory=lambda: array("l"))
    _numbers: array[int] = field(default_factory=lambda: array("b"))
    _lost: set[int] = field(default_factory=set)
    _lengths: array[int] = field(default_factory=lambda: array("b"))
    _order: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.count % (2 * EACH) or self.count < 2 * EACH:
            raise ValueError(f"{self.count} scans: a multiple of {2 * EACH} is needed")
        rng = Random(self.seed)
        more = 0
        for parcel in range(self.count // EACH):
            # In pairs, so that the number of all scans is the one that was asked for.
            more = rng.randrange(-4, 5) if parcel % 2 == 0 else -more
            self._parcel(rng, parcel, EACH + more)
        self._order.sort()

    def _parcel(self, rng: Random, parcel: int, scans: int) -> None:
        time = START + rng.randrange(_SETTING_OUT)
        luck = rng.random()
        share = self.silent / 100
        silent_after = rng.randrange(scans - 1) if luck < 0.6 * share else None
        if 0.6 * share <= luck < share:
            self._lost.add(parcel)
        self._lengths.append(scans)
        for number in range(scans):
            seq = len(self._times)
            self._times.append(time)
            self._parcels.append(parcel)
            self._numbers.append(number)
            sent = time + int(rng.random() ** 3 * _LONGEST_DELAY)
            self._order.append(sent << 32 | seq)
            if number == silent_after:
                self._say(parcel, "raised", time + WEEK)
                time += WEEK + rng.randrange(1, 130 * _HOUR)
                self._say(parcel, "resolved", time)
            elif number + 1 < scans:
                # More than the delay: one parcel's scans come in their order.
                time += rng.randrange(_HOUR, 22 * _HOUR)
        if parcel in self._lost:
            self._say(parcel, "raised", time + WEEK)

    def _say(self, parcel: int, status: str, time: int) -> None:
        self.alerts.add(Alert(tracking_no(parcel).decode(), status, time * 1000))

    def __len__(self) -> int:
        return self.count + PARTITIONS

    def __iter__(self) -> Iterator[Sent]:
        """In the order in which they reach Kafka."""
        carriers = max(8, -(-self.count // _PER_CARRIER))
        regions, facilities = ([self._written(text) for text in texts] for texts in (_REGIONS, _FACILITIES))
        partitions = array("b", (partition_for(tracking_no(p), PARTITIONS) for p in range(self.count // EACH)))
        for packed in self._order:
            sent, seq = packed >> 32, packed & 0xFFFFFFFF
            parcel, number = self._parcels[seq], self._numbers[seq]
            key = tracking_no(parcel)
            if number == 0:
                status = _FIRST
            elif number + 1 == self._lengths[parcel] and parcel not in self._lost:
                status = _LAST
            else:
                status = _UNDER_WAY[number & 3]
            place = (parcel * 7 + number * 131) % len(facilities)
            value = _VALUE % (
                key, number, rendered(self._times[seq]), key, b"carrier-%d" % (parcel % carriers), status,
                facilities[place], regions[place // 50],
            )  # fmt: skip
            yield Sent(partitions[parcel], sent * 1000, key, value)
        yield from closing()

    def _written(self, text: str) -> bytes:
        return json.dumps(text, ensure_ascii=self.escaped)[1:-1].encode()


def closing() -> Iterator[Sent]:
    """In each partition a parcel that is delivered at `END`, later than everything that can fall due."""
    missing = set(range(PARTITIONS))
    number = 0
    while missing:
        key = b"CLOSING%d" % number
        partition = partition_for(key, PARTITIONS)
        number += 1
        if partition in missing:
            missing.remove(partition)
            facility, region = _FACILITIES[0].encode(), _REGIONS[0].encode()
            value = _VALUE % (key, 0, rendered(END), key, b"carrier-0", _LAST, facility, region)
            yield Sent(partition, END * 1000, key, value)


def tracking_no(parcel: int) -> bytes:
    return b"PW%010d" % parcel


def rendered(seconds: int) -> bytes:
    """RFC 3339 with China's offset."""
    minute, second = divmod(seconds, 60)
    return b"%s:%02d+08:00" % (_minute(minute), second)


@lru_cache(maxsize=100_000)
def _minute(minute: int) -> bytes:
    at = datetime.fromtimestamp(minute * 60, UTC) + timedelta(microseconds=CHINA)
    return at.isoformat()[:16].encode()
