"""All alerts for a parcel: of its silences, of what was promised, of what its scans say, of what is suspicious."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.policy.model import Policy
from streams.rules.reconcile import Expected
from streams.rules.shipments.carrier_feeds import Feed
from streams.rules.shipments.exceptions import exception_alerts
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.promises import delivery_late
from streams.rules.shipments.silence_alerts import not_collected, silent
from streams.rules.shipments.suspicious import suspicious_alerts
from streams.rules.shipments.uses import Use


class Given(NamedTuple):
    """All alerts for a parcel's uses, past and future.

    `held`: some deadline of a silence is unknown yet, as it lies in a silence of the carrier's feed that has not ended;
    `promise_held`: so is that of a promised delivery.
    """

    alerts: list[Expected]
    held: bool
    promise_held: bool


def given(parcel: Parcel, found: Sequence[Use], policy: Policy, feed: Feed | None) -> Given:
    """The alerts for the uses of a parcel; `feed` is its carrier's."""
    alerts: list[Expected] = []
    held = promise_held = False
    for use in found:
        if use.registrations:
            held |= not_collected(parcel, use, policy, feed, alerts)
            promise_held |= delivery_late(parcel, use, policy, feed, alerts)
            alerts += exception_alerts(parcel, use, policy)
            alerts += suspicious_alerts(parcel, use, policy)
        for silence in use.silences:
            # Most silences are short: a shipment under way is scanned several times a day.
            if silence.end is None or silence.end - silence.since > policy.shipments.shortest:
                held |= silent(parcel, use, silence, policy, feed, alerts)
    return Given(alerts, held, promise_held)
