"""The sections of a policy about shipments, carriers' feeds and facilities."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

import msgspec

from schemas.times import DAY, HOUR
from streams.policy.parts import NotNegative, Part, Positive, PositiveInt, Text
from streams.policy.relief import Relief

Tier = Literal["after_pickup", "remote", "near", "cross_province"]


class TierHours(Part, frozen=True, forbid_unknown_fields=True):
    """Hours by route tier."""

    after_pickup: Positive
    remote: Positive
    near: Positive
    cross_province: Positive


class Silence(Part, frozen=True, forbid_unknown_fields=True):
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


class Thresholds(Part, frozen=True, forbid_unknown_fields=True):
    """One row of the threshold table; the first one that matches the carrier and the last update's period applies."""

    slow: Silence
    stalled: Silence
    carrier: Text | None = None
    period: Text | None = None


class Hours(Part, frozen=True, forbid_unknown_fields=True):
    """A length of time in hours."""

    hours: NotNegative

    @cached_property
    def micros(self) -> int:
        """In microseconds."""
        return round(self.hours * HOUR)


class Days(Part, frozen=True, forbid_unknown_fields=True):
    """A length of time in days."""

    days: NotNegative

    @cached_property
    def micros(self) -> int:
        """In microseconds."""
        return round(self.days * DAY)


class Shipments(Part, frozen=True, forbid_unknown_fields=True):
    """Rules of shipments.

    `late_registration`: how long after its end an `order.shipped` still registers a parcel. `failed_attempts`: which
    failed delivery of a parcel is one too many. `relief`: spans in which more time is given.
    """

    not_collected: Silence
    thresholds: Annotated[tuple[Thresholds, ...], msgspec.Meta(min_length=1)]
    given_up_days: Positive
    keep_days: Annotated[float, msgspec.Meta(ge=90, le=1_000_000)]
    remote_regions: tuple[Text, ...]
    near_groups: tuple[tuple[Text, ...], ...]
    late_registration: Hours = Hours(hours=24)
    failed_attempts: PositiveInt = 2
    relief: tuple[Relief, ...] = ()

    @property
    def late(self) -> int:
        """`late_registration` in microseconds."""
        return self.late_registration.micros

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


class Suspicious(Part, frozen=True, forbid_unknown_fields=True):
    """Which shipments are suspicious.

    `paid_slack`: by how much the first collecting scan may come before the order is paid. `reuse`: how long after its
    end a number is not to be used again.
    """

    paid_slack: Hours = Hours(hours=1)
    reuse: Days = Days(days=90)


class FeedSilence(Part, frozen=True, forbid_unknown_fields=True):
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


class Clusters(Part, frozen=True, forbid_unknown_fields=True):
    """At least `stalls` stalls at one facility within `hours` are a cluster."""

    stalls: PositiveInt
    hours: Positive
