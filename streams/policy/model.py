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
from streams.policy.estimates import Estimates, plain
from streams.policy.parts import ClockTime, NotNegative, Part, Positive, PositiveInt, Text
from streams.policy.periods import Period
from streams.policy.shipments import Clusters, FeedSilence, Hours, Shipments, Suspicious, Thresholds


class Lateness(Part, frozen=True, forbid_unknown_fields=True):
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


class OrderTimes(NamedTuple):
    """The times of `Orders` in microseconds."""

    ship_by: int
    due_soon: int
    out_of_stock: int


class Orders(Part, frozen=True, forbid_unknown_fields=True):
    """Rules of orders."""

    ship_by_hours: Positive
    due_soon_hours: Positive
    out_of_stock_hours: Positive

    @cached_property
    def micros(self) -> OrderTimes:
        """In microseconds."""
        hours = (self.ship_by_hours, self.due_soon_hours, self.out_of_stock_hours)
        return OrderTimes(*(round(value * HOUR) for value in hours))


class Tickets(Part, frozen=True, forbid_unknown_fields=True):
    """Rules of tickets: the time to answer by kind, and the share of it after which a ticket is due soon."""

    urge_shipping_hours: Positive
    after_sales_hours: Positive
    other_hours: Positive
    due_soon_percent: Annotated[int, msgspec.Meta(gt=0, lt=100)]


class HelpRate(Part, frozen=True, forbid_unknown_fields=True):
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


class Words(Part, frozen=True, forbid_unknown_fields=True):
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


class Interventions(Part, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """Which buyers' messages ask for platform staff: one that has a plea, and none of the exceptions.

    A plea is a phrase, or is made of words by their roles.
    """

    phrases: tuple[Text, ...]
    exceptions: tuple[Text, ...]
    repeat_hours: Positive
    words: Words = Words()


class ReplyLate(Part, frozen=True, forbid_unknown_fields=True):
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


class Topics(Part, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """The phrases of each topic, in lookup order; a message without any of them is `other`."""

    after_sales: tuple[Text, ...]
    logistics: tuple[Text, ...]
    promotion: tuple[Text, ...]
    product: tuple[Text, ...]


class Conversations(Part, frozen=True, forbid_unknown_fields=True):
    """Rules of conversations. `repeat_hours`: for how long, in event time, an id identifies a message."""

    topics: Topics
    reply_late: ReplyLate
    repeat_hours: Positive

    @cached_property
    def repeat(self) -> int:
        """In microseconds."""
        return round(self.repeat_hours * HOUR)


class AfterSales(Part, frozen=True, forbid_unknown_fields=True):
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


class Keeping(Part, frozen=True, forbid_unknown_fields=True):
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


class Carriers(Part, frozen=True, forbid_unknown_fields=True):
    """How carriers are identified. `canonical`: all names of a carrier (`streams.carriers`) count as one."""

    canonical: bool


#: Settings that were added later, with their defaults.
_ADDED_TO_SHIPMENTS = {"late_registration": Hours(hours=24), "failed_attempts": 2, "relief": ()}


class Policy(Part, frozen=True, forbid_unknown_fields=True):
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
    suspicious: Suspicious = Suspicious()
    estimates: Estimates = Estimates()

    @cached_property
    def version(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of the content in canonical JSON.

        What was added later is included only if it differs from the default: so older policies keep their versions.
        Of the delivery estimates it is what the file holds, not where it lies.
        """
        content = msgspec.to_builtins(self, enc_hook=plain)
        model = self.estimates.model
        if model is None:
            del content["estimates"]
        else:
            content["estimates"] = model.digest
        if not self.carriers.canonical:
            del content["carriers"]
        if self.suspicious == Suspicious():
            del content["suspicious"]
        for name, default in _ADDED_TO_SHIPMENTS.items():
            if getattr(self.shipments, name) == default:
                del content["shipments"][name]
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
