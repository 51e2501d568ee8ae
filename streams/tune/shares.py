"""Shares of parcels that are delivered, or not, within a time after a silence has lasted so long.

Parcels whose time is not over when the history ends are censored there (Kaplan and Meier 1958, by `scipy.stats.ecdf`).
One that ended otherwise (returned, destroyed) is never delivered: it stays among those at risk until the history ends,
when it would have been censored (the risk set of Fine and Gray 1999 where the time of censoring is known), so that the
curve is the share of all parcels. A parcel counts once, by its first silence that lasts so long.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import CensoredData, ecdf, norm

from schemas.times import DAY, HOUR
from streams.tune.silences import Silences, Times

#: Of an interval.
CONFIDENCE = 0.9
#: A share of fewer parcels that were followed for the whole time is not told.
FEWEST = 30
_Z = float(norm.ppf(0.5 + CONFIDENCE / 2))


class Share(NamedTuple):
    """A share of parcels, with its interval (CONFIDENCE, two-sided). `parcels`: how many it rests on."""

    estimate: float
    low: float
    high: float
    parcels: int


def percent(share: Share | None) -> str:
    """`81% (77-85)`: the share and its interval; None: nothing."""
    if share is None:
        return ""
    return f"{share.estimate:.0%} ({100 * share.low:.0f}-{100 * share.high:.0f})"


class Reached(NamedTuple):
    """Parcels that were silent for so long: microseconds from then to the delivery, or to the end of the history.

    `followed`: from then to the end of the history.
    """

    lasted: Times
    delivered: npt.NDArray[np.bool_]
    followed: Times


def reached(silences: Silences, hours: float, end: int, *, strict: bool = True) -> Reached:
    """The parcels with a silence of more than `hours` (at least, where not `strict`), as known at `end`."""
    threshold = round(hours * HOUR)
    raised = silences.since + threshold
    over = silences.until - silences.since > threshold - (not strict)
    chosen = np.flatnonzero(over & (raised < end))
    _, first = np.unique(silences.shipment[chosen], return_index=True)
    chosen = chosen[first]
    raised, delivered = raised[chosen], silences.delivered[chosen]
    known = delivered <= end
    return Reached(np.where(known, delivered, end) - raised, known, end - raised)


def undelivered(found: Reached, days: float) -> Share | None:
    """The share that is not delivered within `days`. None: fewer than FEWEST were followed for so long."""
    within = round(days * DAY)
    if int((found.followed >= within).sum()) < FEWEST:
        return None
    if not found.delivered.any():
        share = 1.0
    else:
        share = float(ecdf(CensoredData.right_censored(found.lasted, ~found.delivered)).sf.evaluate(within))
    return Share(share, *_interval(found, within, share), len(found.lasted))


def delivered_after_all(found: Reached, days: float) -> Share | None:
    """The share that is delivered within `days`, as `undelivered`."""
    share = undelivered(found, days)
    return Share(1 - share.estimate, 1 - share.high, 1 - share.low, share.parcels) if share is not None else None


def quantile(lasted: Times, over: npt.NDArray[np.bool_], share: float) -> float | None:
    """After how many hours so large a share is over; None: fewer are, as far as is known."""
    if not over.any():
        return None
    curve = ecdf(CensoredData.right_censored(lasted, ~over)).sf
    place = np.flatnonzero(curve.probabilities <= 1 - share + 1e-12)
    return float(curve.quantiles[place[0]]) / HOUR if len(place) else None


def _interval(found: Reached, within: int, share: float) -> tuple[float, float]:
    """Wilson's interval of the effective number of parcels: that of a binomial share with Greenwood's variance.

    Rothman 1978, J Chronic Dis 31:557. It keeps its cover near 0 and 1, and without censoring is Wilson's own.
    """
    events, counts = np.unique(found.lasted[found.delivered & (found.lasted <= within)], return_counts=True)
    at_risk = len(found.lasted) - np.searchsorted(np.sort(found.lasted), events)
    with np.errstate(divide="ignore"):
        greenwood = float((counts / (at_risk * (at_risk - counts))).sum())
    variance = share * share * greenwood
    known = int((found.delivered & (found.lasted <= within)).sum() + (found.lasted >= within).sum())
    number = share * (1 - share) / variance if 0 < share < 1 else float(known)
    centre = share + _Z * _Z / (2 * number)
    spread = _Z * (share * (1 - share) / number + _Z * _Z / (4 * number * number)) ** 0.5
    whole = 1 + _Z * _Z / number
    return max(0.0, (centre - spread) / whole), min(1.0, (centre + spread) / whole)
