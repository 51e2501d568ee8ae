"""The numbers of the rules, for the oracle: one small frozen policy, its defaults and the 2026 profile."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

REMOTE = frozenset({"新疆", "西藏", "内蒙古", "甘肃", "青海", "宁夏"})
NEAR_GROUPS = (frozenset({"北京", "天津", "河北"}), frozenset({"江苏", "浙江", "上海", "安徽"}))
TIERS = ("after_pickup", "remote", "near", "cross_province")


def china_midnight(year: int, month: int, day: int) -> int:
    """The start of a day in UTC+8, in microseconds since the epoch."""
    return calendar.timegm((year, month, day, 0, 0, 0)) * SECOND - 8 * HOUR


@dataclass(frozen=True)
class Threshold:
    """How long a silence may last (microseconds); a strict one is broken by more than that, else by that."""

    length: int
    strict: bool = True


@dataclass(frozen=True)
class Override:
    """A threshold for some shipments: what is None matches everything. The first that matches is taken."""

    kind: str
    threshold: Threshold
    carrier: str | None = None
    tier: str | None = None
    period: tuple[int, int] | None = None

    def matches(self, kind: str, carrier: str, tier: str, last_update: int) -> bool:
        """Whether it is about this kind of alert, carrier, tier and time of the last update."""
        return (
            self.kind == kind
            and self.carrier in (None, carrier)
            and self.tier in (None, tier)
            and (self.period is None or self.period[0] <= last_update < self.period[1])
        )


@dataclass(frozen=True)
class Relief:
    """What runs from an instant in [start, end) falls due so much later; times are microseconds.

    `regions`: bare names; for shipments from or to one of them, or, where it is None, for all.
    """

    name: str
    start: int
    end: int
    later: int
    regions: frozenset[str] | None = None


@dataclass(frozen=True)
class OraclePolicy:
    """Every number that the oracle uses; times are microseconds. The defaults are the default policy's."""

    not_collected: Threshold = Threshold(24 * HOUR)
    slow: Threshold = Threshold(72 * HOUR)
    stalled: Threshold = Threshold(168 * HOUR)
    overrides: tuple[Override, ...] = ()
    remote: frozenset[str] = REMOTE
    near_groups: tuple[frozenset[str], ...] = NEAR_GROUPS
    # ((month, day), (month, day)) of every year, both ends included, UTC+8.
    yearly_peaks: tuple[tuple[tuple[int, int], tuple[int, int]], ...] = (
        ((6, 1), (6, 20)),
        ((11, 1), (11, 20)),
    )
    # Half-open intervals of microseconds.
    dated_peaks: tuple[tuple[int, int], ...] = ()
    give_up: int = 180 * DAY
    keep_shipment: int = 180 * DAY
    late_registration: int = 24 * HOUR
    failed_attempts: int = 2
    reliefs: tuple[Relief, ...] = ()
    paid_slack: int = HOUR
    reuse: int = 90 * DAY

    # A feed is silent for so many full hours, which on so many days before had so many scans in the mean.
    feed_hours: int = 6
    feed_days: int = 7
    feed_min_scans: int = 200
    feed_grace: int = 6 * HOUR
    cluster_stalls: int = 20
    cluster_span: int = 24 * HOUR

    ship_within: int = 48 * HOUR
    ship_due_soon: int = 12 * HOUR
    out_of_stock: int = 72 * HOUR
    keep_order: int = 180 * DAY
    keep_order_extension: int = 30 * DAY
    keep_order_idle: int = 400 * DAY
    # Days after completion for which a category may extend the after-sales window; they prolong keeping.
    extension_days: Mapping[str, int] = field(
        default_factory=lambda: {
            "3c-digital": 365,
            "home-appliances": 365,
            "footwear": 90,
            "seedlings": 30,
            "flowers": 30,
            "pets": 30,
        }
    )

    respond_within: Mapping[str, int] = field(
        default_factory=lambda: {"urge_shipping": 24 * HOUR, "after_sales": 48 * HOUR, "other": 48 * HOUR}
    )
    keep_ticket: int = 180 * DAY
    keep_escalation: int = 180 * DAY
    keep_voiding: int = 180 * DAY
    intervention_span: int = 24 * HOUR
    message_memory: int = 24 * HOUR
    keep_conversation: int = 180 * DAY
    # A buyer's message in these hours of the day, UTC+8, that nobody of the shop answers for longer than that.
    answer_within: int = 3 * MINUTE
    answering_hours: tuple[int, int] = (8, 23)

    windows: Mapping[str, int] = field(default_factory=lambda: {"7d": 7 * DAY, "30d": 30 * DAY})
    judged_window: str = "30d"
    # The kinds of escalation that the rate counts; over orders as placed or as paid; each order once or not.
    counted: tuple[str, ...] = ("dispute", "complaint", "intervention", "ticket_timeout")
    over: str = "order.placed"
    distinct_orders: bool = False
    min_orders: int = 30
    min_shops: int = 5
    elevated: float = 1.2
    campaign_blocked: float = 1.5
    delisting_risk: float = 3.0
    delisting_escalations: int = 5
    hold: float = 0.9
    tolerance: float = 1e-9

    def threshold(self, kind: str, carrier: str, tier: str, last_update: int) -> Threshold:
        """The threshold of `not_collected`, `slow` or `stalled` for this shipment and silence."""
        for override in self.overrides:
            if override.matches(kind, carrier, tier, last_update):
                return override.threshold
        return {"not_collected": self.not_collected, "slow": self.slow, "stalled": self.stalled}[kind]

    def relief(self, since: int, ends: tuple[str | None, str | None]) -> Relief | None:
        """The relief for what runs from an instant, of a shipment between these two regions."""
        provinces = {province(end) for end in ends if end is not None}
        holding = [
            span
            for span in self.reliefs
            if span.start <= since < span.end and (span.regions is None or provinces & span.regions)
        ]
        # Of equal ones `max` takes the first.
        return max(holding, key=lambda span: span.later, default=None)

    def is_peak(self, time: int) -> bool:
        """Whether a time lies in a dated period that counts as a peak season."""
        if any(start <= time < end for start, end in self.dated_peaks):
            return True
        year = datetime.fromtimestamp((time + 8 * HOUR) // SECOND, UTC).year
        return any(
            china_midnight(year, *first) <= time < china_midnight(year, *last) + DAY
            for first, last in self.yearly_peaks
        )

    def is_remote(self, region: str | None) -> bool:
        """Whether a region as an event gives it is one of the remote provinces."""
        return region is not None and province(region) in self.remote

    def tier(self, last_status: str | None, origin: str | None, destination: str | None) -> str:
        """The route tier, from the last status and the two regions as events give them."""
        if last_status == "picked_up":
            return "after_pickup"
        if self.is_remote(destination):
            return "remote"
        if origin is None or destination is None:
            return "cross_province"
        ends = {province(origin), province(destination)}
        if len(ends) == 1 or any(ends <= group for group in self.near_groups):
            return "near"
        return "cross_province"


def taobao_experience_2026(**changes: object) -> OraclePolicy:
    """The profile `taobao-experience-2026`, with any field changed."""
    policy = OraclePolicy(counted=("dispute", "complaint", "intervention"), over="order.paid")
    return replace(policy, **changes)  # type: ignore[arg-type]


def distinct_orders(**changes: object) -> OraclePolicy:
    """The profile `distinct-orders`, with any field changed."""
    return replace(OraclePolicy(distinct_orders=True), **changes)  # type: ignore[arg-type]


def province(region: str) -> str:
    """A province's bare name: without 省, 市, 自治区, 特别行政区 and the people's name before them."""
    for ending in ("维吾尔自治区", "回族自治区", "壮族自治区", "特别行政区", "自治区", "省", "市"):
        if region.endswith(ending):
            return region.removesuffix(ending)
    return region


def tmall_2026(**changes: object) -> OraclePolicy:
    """The profile `tmall-2026`, with any field changed."""
    festival = (china_midnight(2026, 2, 10), china_midnight(2026, 2, 24))
    tables = (
        ("slow", True, festival, (48, 120, 96, 96)),
        ("stalled", False, festival, (72, 168, 120, 120)),
        ("slow", True, None, (24, 120, 48, 72)),
        ("stalled", False, None, (72, 168, 96, 120)),
    )
    overrides = tuple(
        Override(kind, Threshold(hours * HOUR, strict), tier=tier, period=period)
        for kind, strict, period, row in tables
        for tier, hours in zip(TIERS, row, strict=True)
    )
    return replace(OraclePolicy(overrides=overrides, dated_peaks=(festival,)), **changes)  # type: ignore[arg-type]
