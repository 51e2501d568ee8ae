"""What befalls many parcels at once, and what few buyers do: a carrier's feed stops, a hub is jammed, a late claim.

The facts of each order pass through here, on their way from `Lives` to the topics. They draw from a generator of their
own, so that everything else is as it is without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from schemas.times import DAY, HOUR
from streams.marketplace.orders import ORDERS, SCANS, Fact
from streams.marketplace.places import CARRIERS, PLACES

#: The carrier whose feed stops, and the hub that is jammed: those with the most parcels.
CARRIER = CARRIERS[0].code
HUB = max(PLACES, key=lambda place: place.share).hub
#: When the feed stops on its day, and for how long; its scans of that time never come.
_STOPS, _STOPPED = 9 * HOUR, 12 * HOUR
#: For how long the hub is jammed, from the beginning of the next day on. What arrives there waits for so many days.
_JAMMED = 36 * HOUR
_WAITS = (8, 11)
#: The share of orders whose shop promises more than it has to, and the days that it promises after completion; who
#: makes use of it asks when what everybody is granted is over.
_PROMISED, COMMITMENT = 0.02, 30
_ASKS = (16 * DAY, 28 * DAY)


class Incidents:
    """Befalls the facts of one order after the other. `day`: the midnight on which the first happens (microseconds)."""

    def __init__(self, seed: int, day: int) -> None:
        self._rng = Random(seed + 1)  # noqa: S311 - nothing here is a secret
        self._stops = day + _STOPS, day + _STOPS + _STOPPED
        self._jammed = day + DAY, day + DAY + _JAMMED

    def befall(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """The facts of one order, or of a parcel without one, as they become."""
        known = list(facts)
        for fact in [*self._held_up(known), *self._claims(known)]:
            if not self._is_lost(fact):
                yield fact

    def _is_lost(self, fact: Fact) -> bool:
        stops, goes_on = self._stops
        return fact.topic == SCANS and stops <= fact.at < goes_on and fact.fields["carrier"] == CARRIER

    def _held_up(self, facts: list[Fact]) -> Iterator[Fact]:
        """Whatever follows the arrival at the jammed hub follows so much later."""
        begins, ends = self._jammed
        arrived = [
            fact.at
            for fact in facts
            if fact.topic == SCANS and fact.fields["status"] == "arrived" and fact.fields["facility"] == HUB
        ]
        since = min((at for at in arrived if begins <= at < ends), default=None)
        wait = int(self._rng.uniform(*_WAITS) * DAY) if since is not None else 0
        for fact in facts:
            yield fact._replace(at=fact.at + wait) if since is not None and fact.at > since else fact

    def _claims(self, facts: list[Fact]) -> Iterator[Fact]:
        """A promise that goes beyond what every buyer has, and the claim on it."""
        if self._rng.random() >= _PROMISED:
            return
        for fact in facts:
            if fact.fields["type"] == "order.placed":
                fact.fields["commitment_days"] = COMMITMENT
            elif fact.fields["type"] == "order.completed":
                at = fact.at + self._rng.randrange(*_ASKS)
                ids = {name: fact.fields[name] for name in ("order_id", "shop_id")}
                refund = {**ids, "refund_id": f"{fact.key}-r2"}
                asked = {"kind": "exchange", "reason": "damaged"}
                yield Fact(at, ORDERS, fact.key, {"type": "refund.requested", **refund, **asked})
                yield Fact(at + DAY, ORDERS, fact.key, {"type": "refund.settled", **refund})
