"""What `tune` found, as its JSON file has it. Hours and days are numbers; shares lie in 0 to 1."""

from __future__ import annotations

from typing import Literal

import msgspec

from streams.policy.shipments import Tier
from streams.tune.shares import Share

Kind = Literal["slow", "stalled"]
#: Where the parcels of a threshold are from: the group itself, its carrier, or all.
Source = Literal["own", "carrier", "all"]
#: `written`: it is in the policy. Otherwise the present threshold stays, because
#: `as_it_is`: it is the one found; `too_few`: parcels, also to borrow; `not_right`: none is right often enough;
#: `does_not_hold`: it is not in the last part of the history; `too_few_judged`: parcels there;
#: `not_in_order`: `slow` would not be shorter than `stalled`.
Outcome = Literal["written", "as_it_is", "too_few", "not_right", "does_not_hold", "too_few_judged", "not_in_order"]


class Point(msgspec.Struct, frozen=True):
    """After a silence of `hours`: the share of parcels that is delivered after all, within `Findings.horizon_days`."""

    hours: float
    delivered_after_all: Share


class Group(msgspec.Struct, frozen=True):
    """The silences of a carrier and tier; `carrier` None: of all, and `tier` None: of all.

    `hours`: by share, after how many hours so many silences are over; None: not known.
    """

    carrier: str | None
    tier: Tier | None
    parcels: int
    silences: int
    hours: dict[str, float | None]
    curve: list[Point]


class Choice(msgspec.Struct, frozen=True):
    """A threshold of `hours`. `promised`: the share of alerts that are right in the first part of the history.

    `found`: in the last; None: too few parcels. `parcels_from`: see Source. `alerts_a_day`: in the last part, of the
    group. `ahead_hours`: from the raise until half of the parcels are delivered, None where that is never.
    """

    hours: float
    parcels_from: Source
    promised: Share
    found: Share | None
    alerts_a_day: float
    ahead_hours: float | None


class Proposal(msgspec.Struct, frozen=True):
    """One threshold of a group, the present one and that found. `alerts_a_day_now`: in the last part of the history."""

    carrier: str | None
    tier: Tier
    kind: Kind
    hours_now: float
    alerts_a_day_now: float
    outcome: Outcome
    choice: Choice | None = None

    @property
    def hours(self) -> float:
        """The threshold that the new policy has."""
        return self.choice.hours if self.choice is not None and self.outcome == "written" else self.hours_now


class Judged(msgspec.Struct, frozen=True):
    """What became of parcels in the last part of the history that were silent for `silent_hours`.

    `by_p50`, `by_p90`: the share delivered by the time by which half, and nine of ten, were to be. `after_all`: that
    delivered within the horizon, with what was promised of it. None: too few parcels, or of none it was told.
    """

    silent_hours: float
    by_p50: Share | None
    by_p90: Share | None
    promised_after_all: float | None
    after_all: Share | None


class Goal(msgspec.Struct, frozen=True):
    """An alert is right where the parcel is not delivered within `days` of it; that is wanted of a share `right`."""

    right: float
    days: float


class Findings(msgspec.Struct, frozen=True):
    """Times are RFC 3339 in UTC; `cut`: where the first part ends and the last begins.

    `estimates`: how delivery estimates of the first part do in the last, where a model was asked for.
    """

    policy: str
    events: int
    dead: int
    first: str
    cut: str
    end: str
    confidence: float
    horizon_days: float
    goals: dict[Kind, Goal]
    groups: list[Group]
    proposals: list[Proposal]
    estimates: list[Judged] = []
