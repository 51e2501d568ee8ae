"""Dense random histories: carriers that scan every few hours, outages of theirs, and parcels about their edges.

A feed's silence and a cluster need many scans. Under a lowered policy (`dense`) some hundred are enough. What is
interesting lies at an instant: that at which a silence is told, the next scan, the end of the grace behind it,
midnight, the edge of a span. Parcels are updated a threshold before such an instant, and a microsecond beside.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.oracle.mutations import with_repeats
from tests.oracle.policy import DAY, HOUR, MINUTE, OraclePolicy, Relief
from tests.oracle.timeline import microseconds, shown

__all__ = ["DENSE_START", "dense", "dense_stream", "dense_until"]

# 2026-02-01: the dated period of the 2026 profile begins nine days later.
DENSE_START = microseconds("2026-02-01T00:00:00Z")
_NEAR = (-1, 0, 1)
_THRESHOLDS = tuple(hours * HOUR for hours in (24, 48, 72, 96, 120, 168))
#: Short ones: what they put off still falls about the edges of outages.
_RELIEFS = (
    Relief("flood", DENSE_START, DENSE_START + 4 * DAY, HOUR),
    Relief("lockdown", DENSE_START + 2 * DAY, DENSE_START + 6 * DAY, 6 * HOUR),
)
_FACILITIES = ("F1", "F2", "F3", None)
_STATUSES = ("info_received", "picked_up", "departed", "arrived", "in_transit", "held", "delivery_failed")

Events = list[dict[str, Any]]


def dense(rng: Random, policy: OraclePolicy | None = None) -> OraclePolicy:
    """A policy under which a few scans make a feed, and a few stalls a cluster."""
    hours = rng.choice((1, 2, 3, 6, 6))
    return replace(
        policy or OraclePolicy(),
        feed_hours=hours,
        feed_days=rng.choice((1, 2, 3, 7)),
        feed_min_scans=rng.choice((1, 1, 2, 3)),
        # No longer than the hours: else a deadline may be moved into the next silence.
        feed_grace=rng.choice((hours * HOUR, hours * HOUR // 2)),
        cluster_stalls=rng.choice((2, 3, 4)),
        cluster_span=rng.choice((DAY, DAY, 6 * HOUR)),
        reliefs=rng.choice(((), (), _RELIEFS)),
    )


@dataclass
class _Outage:
    """No scan of a carrier from `start` to `end`, at which there is one."""

    carrier: str
    start: int
    end: int


class _Play:
    """Plays a stream into `events`."""

    def __init__(self, rng: Random, policy: OraclePolicy, days: int) -> None:
        self.rng = rng
        self.policy = policy
        self.span = days * DAY
        self.events: Events = []
        self.outages: list[_Outage] = []

    def emit(self, topic: str, type_: str, time: int, **fields: Any) -> None:
        event_id = f"{self.rng.choice('bmy')}{self.rng.randrange(1000)}-{len(self.events)}"
        kept = {name: value for name, value in fields.items() if value is not None}
        value = {"event_id": event_id, "type": type_, "occurred_at": shown(time), **kept}
        self.events.append({"topic": topic, "value": value})

    def scan(
        self, carrier: str, number: str, time: int, status: str | None = None, facility: str | None = None
    ) -> None:
        status = status or self.rng.choice(_STATUSES)
        place = facility or self.rng.choice(_FACILITIES)
        self.emit("logistics-scans", "scan", time, carrier=carrier, tracking_no=number, status=status, facility=place)

    def ship(self, carrier: str, number: str, time: int, order: str, deliver_by: int | None = None) -> None:
        region = self.rng.choice(("浙江省", "上海市", "西藏", None))
        self.emit(
            *("orders", "order.shipped", time),
            order_id=order,
            shop_id=f"S{int(order[1:]) % 3}",
            carrier=carrier,
            tracking_no=number,
            from_region="江苏",
            to_region=region,
            deliver_by=None if deliver_by is None else shown(deliver_by),
        )

    def beat(self, carrier: str) -> None:
        """The carrier's scans every few hours, at full hours and beside, with some left out, up to its outages."""
        step = self.rng.choice((1, max(1, self.policy.feed_hours // 2), self.policy.feed_hours)) * HOUR
        kept, ends = self.rng.choice((1.0, 0.95, 0.8)), self.rng.choice((0.3, 1.0))
        shift = self.rng.choice((0, -1, 1, 30 * MINUTE))
        for time in range(DENSE_START + step, DENSE_START + self.span, step):
            for _ in range(self.rng.choice((self.policy.feed_min_scans, 1, 2))):
                if self.rng.random() < kept:
                    at = time + (self.rng.choice(_NEAR) if self.rng.random() < 0.3 else shift)
                    status = "delivered" if self.rng.random() < ends else None
                    self.scan(carrier, f"N{self.rng.randrange(400)}", at, status)

    def outage(self, carrier: str, *, long: bool) -> None:
        """An outage that begins and ends at, or beside, a full hour, or at any time."""
        length = self.policy.feed_hours * HOUR
        begin = DENSE_START + self.rng.randrange(DAY, self.span) // HOUR * HOUR
        lasts = length + self.rng.choice((-1, 0, 1, 2, 5, 30)) * HOUR
        if long:
            lasts = 180 * DAY - self.rng.choice((length, self.policy.feed_grace, HOUR, DAY, 6 * DAY))
        odd = self.rng.randrange(HOUR) if self.rng.random() < 0.2 else 0
        begin, end = begin + self.rng.choice(_NEAR), begin + max(lasts, HOUR) + odd + self.rng.choice(_NEAR)
        self.outages.append(_Outage(carrier, begin, end))
        self.scan(carrier, "N0", begin - 1 if self.rng.random() < 0.5 else begin - MINUTE)
        if self.rng.random() < 0.9:
            self.scan(carrier, f"N{self.rng.randrange(400)}", end)

    def an_edge(self, outage: _Outage) -> int:
        """An instant at which a rule changes its mind, or one within."""
        told = -(-outage.start // HOUR) * HOUR + self.policy.feed_hours * HOUR
        grace = outage.end + self.policy.feed_grace
        inside = self.rng.randrange(outage.start, outage.end)
        return self.rng.choice((told, told, told + HOUR, outage.end, outage.end, grace, inside, inside))

    def parcel(self, outage: _Outage, number: str) -> None:
        """A parcel of which something falls due at an edge of an outage, and what follows about another."""
        carrier, order, rng = outage.carrier, f"O{rng_order(self.rng)}", self.rng
        update = self.an_edge(outage) + rng.choice(_NEAR) - rng.choice(_THRESHOLDS)
        if rng.random() < 0.3:  # given up about the end of the grace
            update = outage.end + self.policy.feed_grace - self.policy.give_up + rng.choice(_NEAR)
        form = rng.randrange(4)
        if form < 2:
            promised = rng.choice((None, self.an_edge(outage) + rng.choice(_NEAR)))
            self.ship(carrier, number, update - rng.choice((0, 0, HOUR)), order, promised)
        if form > 0:
            self.scan(carrier, number, update)
        for _ in range(rng.choice((0, 0, 1, 2))):
            in_time = outage.end + self.policy.feed_grace
            at = (in_time if rng.random() < 0.3 else self.an_edge(outage)) + rng.choice(_NEAR)
            if rng.random() < 0.4:
                self.ship(carrier, number, at, f"O{rng_order(rng)}")
            elif not any(o.carrier == carrier and o.start <= at < o.end for o in self.outages) or rng.random() < 0.05:
                self.scan(carrier, number, at, rng.choice((None, "delivered", "info_received")))
        for _ in range(rng.choice((0, 1, 2))):
            shop, id_ = f"S{int(order[1:]) % 3}", f"D{len(self.events)}"
            at = self.an_edge(outage) + rng.choice(_NEAR)
            self.emit("orders", "dispute.opened", at, order_id=order, shop_id=shop, dispute_id=id_)

    def crowd(self, carrier: str, number: str) -> None:
        """Parcels last seen at one place that stall together, at the two ends of a span or about midnight."""
        rng, facility = self.rng, self.rng.choice(("F1", "F2"))
        time = DENSE_START + rng.randrange(self.span) // HOUR * HOUR
        if rng.random() < 0.5:
            time = time // DAY * DAY
        for parcel in range(rng.randrange(2, 2 * self.policy.cluster_stalls + 1)):
            at = time + rng.choice((0, 0, self.policy.cluster_span, HOUR)) + rng.choice((-1, 0, 0, 0, 1))
            name = f"{number}-{parcel}"
            self.scan(carrier, name, at, facility=facility)
            if rng.random() < 0.2:  # another at the same instant: the greatest status name is the last
                self.scan(carrier, name, at)
            if rng.random() < 0.2:
                self.ship(carrier, name, at + rng.choice((0, 1, HOUR)), f"O{rng_order(rng)}")
            if rng.random() < 0.1:
                self.scan(carrier, name, at + rng.choice(_THRESHOLDS) + rng.choice(_NEAR))


def rng_order(rng: Random) -> int:
    """The number of an order of a small pool."""
    return rng.randrange(60)


def dense_stream(rng: Random, policy: OraclePolicy, *, crowds: bool = True) -> Events:
    """Some hundred valid events, sorted by time; `policy` is the lowered one (`dense`) it is made for."""
    long = rng.random() < 0.25
    days = policy.feed_days + rng.choice((3, 5, 9))
    play = _Play(rng, policy, days)
    carriers = rng.choice((("SF",), ("SF", "ZTO")))
    for carrier in carriers:
        play.beat(carrier)
        for _ in range(rng.choice((1, 2, 3))):
            play.outage(carrier, long=long and rng.random() < 0.5)
    play.events = [event for event in play.events if not _in_outage(play.outages, event)]
    for number in range(rng.randrange(3, 25)):
        play.parcel(rng.choice(play.outages), f"T{number}")
    for number in range(rng.randrange(4) if crowds else 0):
        play.crowd(rng.choice(carriers), f"C{number}")
    events = with_repeats(rng, play.events, rng.choice((0.0, 0.03, 0.2)))
    return sorted(events, key=_time)


def _in_outage(outages: list[_Outage], event: dict[str, Any]) -> bool:
    time, carrier = _time(event), event["value"]["carrier"]
    return any(outage.carrier == carrier and outage.start <= time < outage.end for outage in outages)


def dense_until(rng: Random, policy: OraclePolicy, events: Events) -> int:
    """An end: at an event, a full hour, the end of a grace, the telling of a silence, or beside; or far off."""
    times = [_time(event) for event in events]
    time, last = rng.choice(times), times[-1]
    shift = rng.choice((0, policy.feed_grace, *_THRESHOLDS))
    # The event before the longest gap of some: what follows is likely a silence.
    number = max(rng.choices(range(len(times)), k=20), key=lambda n: times[min(n + 1, len(times) - 1)] - times[n])
    told = times[number] // HOUR * HOUR + (policy.feed_hours + 1) * HOUR
    full = (time + shift) // HOUR * HOUR
    ends = (last, last + 2 * HOUR, time + shift, full, told, last + 8 * DAY, last + 8 * DAY, last + 200 * DAY)
    return rng.choice(ends) + rng.choice(_NEAR)


def _time(event: dict[str, Any]) -> int:
    return microseconds(event["value"]["occurred_at"])
