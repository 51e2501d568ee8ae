"""What the scans of a shipment say of themselves, and what is suspicious about it: which alerts came of it."""

from __future__ import annotations

from schemas.times import parse
from streams.explain.checks import PENDING, Alerts, Check, raised
from streams.explain.facts import At, Coded, Facts, Name, Span
from streams.policy.model import Policy
from streams.rules.shipments.exceptions import (
    DELIVERY_FAILING,
    SHIPMENT_DESTROYED,
    SHIPMENT_RETURNING,
    exceptional,
)
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.routes import are_different_provinces
from streams.rules.shipments.scan_status import BITS, DELIVERED, DELIVERY_FAILED, DESTROYED, NAMES, RETURNED, RETURNING
from streams.rules.shipments.suspicious import (
    DELIVERED_ELSEWHERE,
    NUMBER_REUSED,
    SCANNED_BEFORE_PAYMENT,
    SUSPICIOUS,
    suspicions,
)
from streams.rules.shipments.uses import Use

_RANKS = {
    SHIPMENT_RETURNING: (RETURNING, RETURNED),
    DELIVERY_FAILING: (DELIVERY_FAILED,),
    SHIPMENT_DESTROYED: (DESTROYED,),
}


class ScanChecks:
    """Of one use of a number. `end`: what was raised before it has passed."""

    def __init__(self, parcel: Parcel, use: Use, policy: Policy, alerts: Alerts, end: int) -> None:
        self._about = Name("shipment", parcel.tracking_no, parcel.carrier)
        self._parcel, self._use, self._policy, self._alerts, self._end = parcel, use, policy, alerts, end

    def checks(self) -> list[Check]:
        """What came of its scans, and of its suspicious sides; nothing where there is none."""
        return self._exceptions() + self._suspicions()

    def _exceptions(self) -> list[Check]:
        use, limit = self._use, self._policy.shipments.failed_attempts
        raising = {one.type: one for one in exceptional(use, self._policy)}
        found = []
        for kind, ranks in _RANKS.items():
            scans = [(time, rank) for time, rank in use.told if rank in ranks]
            if not scans:
                continue
            one = raising.get(kind)
            time = scans[-1][0] if one is None else one.time
            rank = max(rank for at, rank in scans if at == time)
            facts: Facts = {"update": Coded("statuses", NAMES[rank])}
            if kind == DELIVERY_FAILING:
                attempts = len(scans) if one is None or one.attempts is None else one.attempts
                facts = {"attempts": attempts, "limit": limit}
            if one is not None:
                found.append(self._raised(kind, time, facts))
                continue
            too_few = kind == DELIVERY_FAILING and len(scans) < limit
            found.append(Check(kind, self._about, "too_few" if too_few else "not_registered", time, None, facts))
        return found

    def _suspicions(self) -> list[Check]:
        raising = {one.ground: one for one in suspicions(self._parcel, self._use, self._policy)}
        found = []
        for ground, why_not in (
            (SCANNED_BEFORE_PAYMENT, self._payment),
            (DELIVERED_ELSEWHERE, self._delivery),
            (NUMBER_REUSED, self._number),
        ):
            one = raising.get(ground)
            if one is not None:
                facts: Facts = {"ground": Coded("grounds", ground), **_told(one.facts)}
                found.append(self._raised(SUSPICIOUS, one.time, facts, f"/{ground}/"))
                continue
            check = why_not()
            if check is not None:
                found.append(check)
        return found

    def _payment(self) -> Check | None:
        use = self._use
        first = use.registrations[0] if use.registrations else None
        if first is None or first.paid is None or use.collected is None or first.paid <= use.collected[0]:
            return None
        slack = self._policy.suspicious.paid_slack.micros
        facts: Facts = {"collected_at": At(use.collected[0]), "paid_at": At(first.paid), "slack": Span(slack)}
        if first.paid - use.collected[0] <= slack:
            outcome = "in_time"
        elif use.ended is not None and first.paid >= use.ended[0]:
            outcome = "cash_on_delivery"
        else:
            # Paid when the parcel was given up.
            return None
        return Check(SUSPICIOUS, self._about, outcome, first.paid, None, facts)

    def _delivery(self) -> Check | None:
        use = self._use
        if use.ended is None or not use.registrations or not any(rank == RETURNING for _, rank in use.told):
            return None
        region = self._parcel.delivered_in.get(use.ended[0] << BITS | DELIVERED)
        first = use.registrations[0]
        target = first.to_region if first.to_region is not None else first.ship_to_region
        if not are_different_provinces(region, target):
            return None
        return Check(SUSPICIOUS, self._about, "came_back", use.ended[0], None, {"region": region})

    def _number(self) -> Check | None:
        use = self._use
        if use.ended_before is None or not use.registrations or use.registrations[0].time != use.start:
            return None
        facts: Facts = {"previous_end": At(use.ended_before), "limit": Span(self._policy.suspicious.reuse.micros)}
        return Check(SUSPICIOUS, self._about, "long_ago", use.start, None, facts)

    def _raised(self, kind: str, time: int, facts: Facts, part: str = "") -> Check:
        # An event at the end has its full effect.
        if time > self._end:
            return Check(kind, self._about, PENDING, time, time, facts)
        return raised(kind, self._about, time, time, facts, self._alerts.raised(kind, self._about, time, part))


def _told(facts: dict[str, str]) -> Facts:
    """Of the evidence, times as they are told."""
    return {name: At(parse(value)) if name not in ("region", "destination") else value for name, value in facts.items()}
