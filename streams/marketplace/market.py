"""A simulated marketplace: realistic events in the order in which they reach Kafka.

It has no clock and draws everything from its seed, so the same plan always gives the same events. There are shops of
several categories, late orders, parcels that fall silent for days, weeks or forever, that come late, go back or look
like false shipping, tickets answered too late, a shop whose buyers grow angry, repeated events, out-of-order events
(within the allowed lateness) and a few invalid records. Where the plan asks for it, a carrier's feed stops, a hub is
jammed, and buyers claim what their shop has promised beyond what it must.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

import orjson

from schemas.times import CHINA, DAY, HOUR, MINUTE, SECOND, parse
from streams.marketplace.incidents import Incidents
from streams.marketplace.orders import CHATS, ORDERS, SCANS, Fact, Lives
from streams.marketplace.shops import Shop, open_shops

#: How long an event takes to reach Kafka, at most: below the lateness of its topic, so that none is late.
DELAY = {ORDERS: 40 * SECOND, CHATS: 40 * SECOND, SCANS: 45 * MINUTE}
#: Parts of all orders by hour of the day in China.
_HOURS = (3, 2, 1, 1, 1, 1, 2, 3, 5, 7, 9, 9, 8, 7, 7, 7, 7, 7, 7, 8, 10, 11, 9, 6)
_CHINA = timedelta(microseconds=CHINA)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Plan:
    """How large the marketplace is, and for how long. `start` in microseconds.

    Help rates are judged for shops with some 30 orders in 30 days, in categories with 5 such shops: plan at
    least 6 shops with two orders a day for each. The share `repeats` of all events comes twice; beside the
    events, a share `faults` of records is no valid event. `anger`: the days on which buyers begin to be angry with the
    first shop, and are so to the full; default: a fifth and half of the plan. `angriest`: the share of its orders that
    then go wrong for anger, and have two escalations on average: some 15 % in its worst week. `incidents`: the day on
    which the first of `streams.marketplace.incidents` happens; default: none does. A feed's silence is told where its
    carrier has 200 scans in six hours, so with some 330 orders a day, and after ten days.
    """

    seed: int = 1
    shops: int = 12
    orders_per_day: int = 80
    days: int = 40
    start: int = parse("2026-09-01T00:00:00+08:00")
    repeats: float = 0.01
    faults: float = 0.0005
    anger: tuple[float, float] | None = None
    angriest: float = 0.035
    incidents: int | None = None

    @property
    def end(self) -> int:
        """No event is at or after this time."""
        return self.start + self.days * DAY


class Produced(NamedTuple):
    """One record as it reaches Kafka at `sent_at` (microseconds); `value` is its JSON."""

    sent_at: int
    topic: str
    key: str
    value: dict[str, Any]

    def encode(self) -> bytes:
        """The record's value."""
        return orjson.dumps(self.value)


def market(plan: Plan) -> Iterator[Produced]:
    """All records of the plan in the order of `sent_at`. Memory: the events of some two weeks of orders."""
    rng = Random(plan.seed)  # noqa: S311 - nothing here is a secret
    lives = Lives(rng)
    shops = open_shops(rng, plan.shops)
    weights = [shop.weight for shop in shops]
    posts = _Posts(plan, rng)
    befall = list if plan.incidents is None else Incidents(plan.seed, plan.start + plan.incidents * DAY).befall
    for day in range(plan.days):
        for at in _moments(rng, plan.start + day * DAY, plan.orders_per_day):
            # A talk comes some hours before the order that it is about, and a scan that is suspicious up to a day.
            yield from posts.sent_before(at - DAY)
            shop = rng.choices(shops, weights)[0]
            anger = _anger(plan, at) if shop is shops[0] else 0.0
            for fact in befall(lives.order(shop, at, anger)):
                posts.take(fact)
            if rng.random() < 0.01:
                for fact in befall(lives.stray_parcel(at)):
                    posts.take(fact)
    yield from posts.sent_before(plan.end + DAY)


def angry_shop(plan: Plan) -> Shop:
    """The shop whose buyers grow angry."""
    return open_shops(Random(plan.seed), plan.shops)[0]  # noqa: S311


def _anger(plan: Plan, at: int) -> float:
    """The share of orders that anger adds an escalation to: nothing at first, then rising, then staying."""
    begins, full = plan.anger or (plan.days / 5, plan.days / 2)
    part = ((at - plan.start) / DAY - begins) / (full - begins)
    return plan.angriest * min(1.0, max(0.0, part))


def _moments(rng: Random, start: int, number: int) -> list[int]:
    """Times of one day, `number` of them give or take a tenth; `start` is a midnight in China."""
    spread = number // 10
    count = number + (rng.randrange(-spread, spread + 1) if spread else 0)
    hours = rng.choices(range(24), _HOURS, k=count)
    return sorted(start + hour * HOUR + rng.randrange(3_600) * SECOND for hour in hours)


class _Posts:
    """Holds facts until they are sent, each with its delay, some twice, some corrupted."""

    def __init__(self, plan: Plan, rng: Random) -> None:
        self._plan = plan
        self._rng = rng
        self._events = 0
        self._waiting: list[tuple[int, int, Produced]] = []

    def take(self, fact: Fact) -> None:
        """Facts before the plan's start or after its end are left out."""
        at = fact.at - fact.at % SECOND
        if not self._plan.start <= at < self._plan.end:
            return
        rng = self._rng
        value = {"event_id": self._event_id(), "occurred_at": render_in_china(at), **fact.fields}
        for promise in ("ship_by", "deliver_by"):
            if promise in value:
                value[promise] = render_in_china(value[promise])
        self._post(fact, at, value)
        luck = rng.random()
        if luck < self._plan.repeats:
            # The same event again, or the same fact told by another system.
            again = value if luck < self._plan.repeats / 2 or fact.fields["type"] == "chat.message" else {
                **value, "event_id": self._event_id()
            }  # fmt: skip
            self._post(fact, at, again)
        elif luck > 1 - self._plan.faults:
            self._post(fact, at, _spoiled(rng, {**value, "event_id": self._event_id()}))

    def sent_before(self, at: int) -> Iterator[Produced]:
        """What is sent up to `at`."""
        waiting = self._waiting
        while waiting and waiting[0][0] < at:
            yield heapq.heappop(waiting)[2]

    def _post(self, fact: Fact, at: int, value: dict[str, Any]) -> None:
        sent_at = at + int(self._rng.random() ** 3 * DELAY[fact.topic])
        heapq.heappush(self._waiting, (sent_at, self._events, Produced(sent_at, fact.topic, fact.key, value)))
        self._events += 1

    def _event_id(self) -> str:
        return f"e{self._events:09d}"


def _spoiled(rng: Random, value: dict[str, Any]) -> dict[str, Any]:
    """The event with an error of the kind that upstream systems make."""
    fault = rng.randrange(4)
    if fault == 0:
        return {**value, "occurred_at": value["occurred_at"][:19]}  # no offset
    if fault == 1:
        return {**value, "type": "order.teleported"}
    if fault == 2:
        return {**value, "event_id": 12}
    return {name: field for name, field in value.items() if name != "occurred_at"}


def render_in_china(micros: int) -> str:
    """A whole second as RFC 3339 with China's offset."""
    minute, rest = divmod(micros, MINUTE)
    return f"{_minute(minute)}:{rest // SECOND:02d}+08:00"


@lru_cache(maxsize=100_000)
def _minute(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute) + _CHINA).isoformat()[:16]
