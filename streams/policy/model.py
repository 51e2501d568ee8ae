"""The policy: every number and list that the rules use, in one frozen object.

Field names carry their units. These structs are exactly what a policy file may contain; `streams.policy.load` reads it
and reports anything else in one line.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

import msgspec

from schemas.times import DAY, HOUR, MINUTE, SECOND
from streams.carriers import same
from streams.policy.periods import Period

#: Upper bound for durations: anything longer than centuries is a mistake, and would overflow a time.
Positive = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]
PositiveInt = Annotated[int, msgspec.Meta(gt=0, le=1_000_000)]
Text = Annotated[str, msgspec.Meta(min_length=1)]
ClockTime = Annotated[str, msgspec.Meta(pattern="^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Tier = Literal["after_pickup", "remote", "near", "cross_province"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    pass


class Lateness(_Part, frozen=True, forbid_unknown_fields=True):
    """How far out of order the events of a topic may be."""

    orders_seconds: NotNegative
    logistics_scans_seconds: NotNegative
    chats_seconds: NotNegative

    @cached_property
    def micros(self) -> dict[str, int]:
        """By topic, in microseconds."""
        return {
            "orders": round(self.orders_seconds * SECOND),
            "logistics-scans": round(self.logistics_scans_seconds * SECOND),
            "chats": round(self.chats_seconds * SECOND),
        }


class TierHours(_Part, frozen=True, forbid_unknown_fields=True):
    """Hours by route tier."""

    after_pickup: Positive
    remote: Positive
    near: Positive
    cross_province: Positive


class Silence(_Part, frozen=True, forbid_unknown_fields=True):
    """How long a silence may last. `strict`: an update exactly at the deadline is in time; otherwise it is too late."""

    hours: Positive | TierHours
    strict: bool = True

    @cached_property
    def micros(self) -> dict[Tier, int]:
        """The threshold by tier, in microseconds."""
        if isinstance(self.hours, TierHours):
            return {
                "after_pickup": round(self.hours.after_pickup * HOUR),
                "remote": round(self.hours.remote * HOUR),
                "near": round(self.hours.near * HOUR),
                "cross_province": round(self.hours.cross_province * HOUR),
            }
        same = round(self.hours * HOUR)
        return {"after_pickup": same, "remote": same, "near": same, "cross_province": same}


class Thresholds(_Part, frozen=True, forbid_unknown_fields=True):
    """One row of the threshold table; the first one that matches the carrier and the last update's period applies."""

    slow: Silence
    stalled: Silence
    carrier: Text | None = None
    period: Text | None = None


class Shipments(_Part, frozen=True, forbid_unknown_fields=True):
    """Rules of shipments."""

    not_collected: Silence
    thresholds: Annotated[tuple[Thresholds, ...], msgspec.Meta(min_length=1)]
    given_up_days: Positive
    keep_days: Annotated[float, msgspec.Meta(ge=90, le=1_000_000)]
    remote_regions: tuple[Text, ...]
    near_groups: tuple[tuple[Text, ...], ...]

    @cached_property
    def given_up(self) -> int:
        return round(self.given_up_days * DAY)

    @cached_property
    def keep(self) -> int:
        return round(self.keep_days * DAY)

    @cached_property
    def shortest(self) -> int:
        """The longest silence, in microseconds, that raises nothing for any carrier, tier or period."""
        return min(
            value for row in self.thresholds for part in (row.slow, row.stalled) for value in part.micros.values()
        ) - 1  # fmt: skip


class OrderTimes(NamedTuple):
    """The times of `Orders` in microseconds."""

    ship_by: int
    due_soon: int
    out_of_stock: int


class Orders(_Part, frozen=True, forbid_unknown_fields=True):
    """Rules of orders."""

    ship_by_hours: Positive
    due_soon_hours: Positive
    out_of_stock_hours: Positive

    @cached_property
    def micros(self) -> OrderTimes:
        """In microseconds."""
        hours = (self.ship_by_hours, self.due_soon_hours, self.out_of_stock_hours)
        return OrderTimes(*(round(value * HOUR) for value in hours))


class Tickets(_Part, frozen=True, forbid_unknown_fields=True):
    """Rules of tickets: the time to answer by kind, and the share of it after which a ticket is due soon."""

    urge_shipping_hours: Positive
    after_sales_hours: Positive
    other_hours: Positive
    due_soon_percent: Annotated[int, msgspec.Meta(gt=0, lt=100)]


class HelpRate(_Part, frozen=True, forbid_unknown_fields=True):
    """How the help rate is counted and judged.

    `elevated`, `campaign_blocked`, `delisting_risk`: multiples of the category's baseline. `hold`: a level, once
    reached, holds while the rate is above this share of its threshold.
    """

    counted: Annotated[
        tuple[Literal["dispute", "complaint", "intervention", "ticket_timeout"], ...],
        msgspec.Meta(min_length=1),
    ]
    over: Literal["placed", "paid"]
    distinct_orders: bool
    min_orders: PositiveInt
    min_shops: PositiveInt
    elevated: Positive
    campaign_blocked: Positive
    delisting_risk: Positive
    delisting_min_escalations: PositiveInt
    hold: Annotated[float, msgspec.Meta(gt=0, le=1)]


class Words(_Part, frozen=True, forbid_unknown_fields=True):
    """The words of messages that ask for staff, by their role, as `docs/detector.md` tells.

    Those of a role also stand for its name in braces in any phrase or word, as `{callee}`; `thing` is for that alone.
    """

    callee: tuple[str, ...] = ()
    desk: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    decide: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()
    favour: tuple[str, ...] = ()
    call: tuple[str, ...] = ()
    bid: tuple[str, ...] = ()
    toward: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    dispute: tuple[str, ...] = ()
    appeal: tuple[str, ...] = ()
    will: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    asking: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    report: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    others_do: tuple[str, ...] = ()
    supposing: tuple[str, ...] = ()
    business: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    thing: tuple[str, ...] = ()


class Interventions(_Part, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """Which buyers' messages ask for platform staff: one that has a plea, and none of the exceptions.

    A plea is a phrase, or is made of words by their roles.
    """

    phrases: tuple[Text, ...]
    exceptions: tuple[Text, ...]
    repeat_hours: Positive
    words: Words = Words()


class ReplyLate(_Part, frozen=True, forbid_unknown_fields=True):
    """A buyer's message sent at local times `from` up to, not including, `to` wants an answer within `minutes`.

    `from` after `to` is over midnight; "24:00" is the end of the day.
    """

    enabled: bool
    minutes: Positive
    opens: ClockTime = msgspec.field(name="from")
    closes: ClockTime = msgspec.field(name="to")
    utc_offset_hours: Annotated[float, msgspec.Meta(ge=-14, le=14)] = 8

    @cached_property
    def allowed(self) -> int:
        """The time to answer, in microseconds."""
        return round(self.minutes * MINUTE)

    def contains(self, micros: int) -> bool:
        """Whether the instant, in microseconds UTC, lies in the hours."""
        time = (micros + round(self.utc_offset_hours * HOUR)) % DAY
        opens, closes = self._hours
        return opens <= time < closes if opens < closes else time >= opens or time < closes

    @cached_property
    def _hours(self) -> tuple[int, int]:
        opens, closes = (int(text[:2]) * HOUR + int(text[3:]) * MINUTE for text in (self.opens, self.closes))
        return opens, closes


class Topics(_Part, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """The phrases of each topic, in lookup order; a message without any of them is `other`."""

    after_sales: tuple[Text, ...]
    logistics: tuple[Text, ...]
    promotion: tuple[Text, ...]
    product: tuple[Text, ...]


class Conversations(_Part, frozen=True, forbid_unknown_fields=True):
    """Rules of conversations. `repeat_hours`: for how long, in event time, an id identifies a message."""

    topics: Topics
    reply_late: ReplyLate
    repeat_hours: Positive

    @cached_property
    def repeat(self) -> int:
        """In microseconds."""
        return round(self.repeat_hours * HOUR)


class FeedSilence(_Part, frozen=True, forbid_unknown_fields=True):
    """When a carrier's feed is silent: no scan in `hours`, where the mean of the same hours of the `days` before is at
    least `min_scans`. Deadlines that fall into it move to `grace_hours` after the next scan.
    """

    hours: PositiveInt
    days: PositiveInt
    min_scans: PositiveInt
    grace_hours: Positive

    @cached_property
    def grace(self) -> int:
        """In microseconds."""
        return round(self.grace_hours * HOUR)


class Clusters(_Part, frozen=True, forbid_unknown_fields=True):
    """At least `stalls` stalls at one facility within `hours` are a cluster."""

    stalls: PositiveInt
    hours: Positive


class AfterSales(_Part, frozen=True, forbid_unknown_fields=True):
    """How long after completion a buyer may ask, and for what; days count from completion, ends included.

    The base period is `long_base_days` for `long_categories`. `warranty_days` (the statutory warranty) and
    `slow_category_days` extend it, by category, 0 where they do not. `no_reason_exempt`: categories without a return
    for no reason.
    """

    base_days: Positive
    long_base_days: Positive
    long_categories: tuple[Text, ...]
    warranty_days: dict[Text, NotNegative]
    slow_category_days: dict[Text, NotNegative]
    no_reason_return_days: NotNegative
    no_reason_exempt: tuple[Text, ...]
    quality_exchange_days: NotNegative


class Keeping(_Part, frozen=True, forbid_unknown_fields=True):
    """How long state is kept, beside that of shipments; what is asked for later is not known any more.

    An order: `order_days` after completion or cancellation and `order_extension_days` after the longest extension of
    its after-sales window, or `order_idle_days` after its last event, where it had neither. The others, by their last
    event: tickets, escalations without an order, voidings that wait for their escalation, conversations.
    """

    order_days: Positive
    order_extension_days: NotNegative
    order_idle_days: Positive
    ticket_days: Positive
    escalation_days: Positive
    voiding_days: Positive
    conversation_days: Positive

    @cached_property
    def order(self) -> int:
        """In microseconds, as all below."""
        return round(self.order_days * DAY)

    @cached_property
    def order_extension(self) -> int:
        return round(self.order_extension_days * DAY)

    @cached_property
    def order_idle(self) -> int:
        return round(self.order_idle_days * DAY)

    @cached_property
    def ticket(self) -> int:
        return round(self.ticket_days * DAY)

    @cached_property
    def escalation(self) -> int:
        return round(self.escalation_days * DAY)

    @cached_property
    def voiding(self) -> int:
        return round(self.voiding_days * DAY)

    @cached_property
    def conversation(self) -> int:
        return round(self.conversation_days * DAY)

    @cached_property
    def least(self) -> int:
        """The shortest of these times: nothing expires sooner after the event that it counts from."""
        return min(self.order, self.order_idle, self.ticket, self.escalation, self.conversation)


class Carriers(_Part, frozen=True, forbid_unknown_fields=True):
    """How carriers are identified. `canonical`: all names of a carrier (`streams.carriers`) count as one."""

    canonical: bool


class Policy(_Part, frozen=True, forbid_unknown_fields=True):
    """The whole policy. Its version is a hash of its content: equal content, equal version."""

    name: Text
    platform: Text
    lateness: Lateness
    carriers: Carriers
    periods: tuple[Period, ...]
    shipments: Shipments
    feed_silence: FeedSilence
    clusters: Clusters
    orders: Orders
    tickets: Tickets
    help_rate: HelpRate
    interventions: Interventions
    conversations: Conversations
    aftersales: AfterSales
    keeping: Keeping

    @cached_property
    def version(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the content in canonical JSON.

        `carriers` is included only if it differs from the default, so that older policies keep their versions.
        """
        content = msgspec.to_builtins(self)
        if not self.carriers.canonical:
            del content["carriers"]
        return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:12]

    @property
    def label(self) -> str:
        """`name@version`, as alerts name it."""
        return f"{self.name}@{self.version}"

    def thresholds(self, carrier: str, last_update: int) -> Thresholds:
        """The row that applies to a carrier and an update at `last_update` (microseconds)."""
        for row in self.shipments.thresholds:
            if row.carrier is not None and not same(row.carrier, carrier):
                continue
            if row.period is not None and not self._period(row.period).contains(last_update):
                continue
            return row
        raise AssertionError("a checked policy has a row without carrier and period")

    def peak_season(self, last_update: int) -> Period | None:
        """The first peak season that contains `last_update` (microseconds), or None."""
        for period in self.periods:
            if period.peak_season and period.contains(last_update):
                return period
        return None

    def _period(self, name: str) -> Period:
        return next(period for period in self.periods if period.name == name)
