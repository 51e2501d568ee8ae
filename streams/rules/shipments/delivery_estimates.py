"""What a model of the marketplace's history says of a shipment as of an instant: when, and whether, it is delivered."""

from __future__ import annotations

from typing import Any

from schemas.times import render
from streams.policy.estimates import NOT_SCANNED, Estimate
from streams.policy.model import Policy
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.places import tier_of
from streams.rules.shipments.scan_status import NAMES
from streams.rules.shipments.shipment_facts import State
from streams.rules.shipments.uses import Use

EXPECTED_BY = "expected_by"
DELIVERED_AFTER_ALL = "delivered_after_all"


def estimates(parcel: Parcel, use: Use, state: State, time: int, policy: Policy) -> dict[str, Any]:
    """For the evidence of an alert raised at `time` (microseconds); nothing where the policy has no model.

    Of a shipment that has ended by then nothing is expected any more.
    """
    model = policy.estimates.model
    if model is None:
        return {}
    found = Estimate()
    if use.ended is None or use.ended[0] > time:
        tier = tier_of(policy, state.status, state.registrations, state.since)
        status = NAMES[state.status] if state.status is not None else NOT_SCANNED
        found = model.estimate(parcel.carrier, tier, status, time - state.since)
    by = {"p50": found.p50, "p90": found.p90}
    return {
        EXPECTED_BY: {name: render(time + wait) if wait is not None else None for name, wait in by.items()},
        DELIVERED_AFTER_ALL: found.delivered_after_all,
    }
