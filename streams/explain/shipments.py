"""The thresholds of a shipment: when each fell due, and its outcome."""

from __future__ import annotations

from collections.abc import Iterable

from streams.explain.checks import PENDING, Alerts, Check, raised
from streams.explain.facts import At, Coded, Facts, Name, Span
from streams.explain.parcel_scans import ScanChecks
from streams.explain.rows import Mark, Row
from streams.policy.model import Policy
from streams.rules.alert import MERCHANT, RAISED
from streams.rules.shipments import shipment_alerts, silence_alerts
from streams.rules.shipments.carrier_feeds import Feed, Silent
from streams.rules.shipments.deadlines import Deadline
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.promises import promise_of, until_delivered
from streams.rules.shipments.scan_status import BITS, MASK, NAMES
from streams.rules.shipments.silence_alerts import NOT_COLLECTED, SLOW, STALLED
from streams.rules.shipments.uses import Silence, Use, over, uses

NOT_REGISTERED, AWAITS_COLLECTION = "not_registered", "awaits_collection"


class ShipmentChecks:
    """All thresholds of one parcel. `end`: deadlines below it have passed."""

    def __init__(self, parcel: Parcel, feed: Feed | None, policy: Policy, alerts: Alerts, end: int) -> None:
        rules = policy.shipments
        self.about = Name("shipment", parcel.tracking_no, parcel.carrier)
        self.found = uses(parcel, rules)
        self._parcel, self._feed, self._policy, self._alerts, self._end = parcel, feed, policy, alerts, end
        given = shipment_alerts.given(parcel, self.found, policy, feed).alerts
        self._expected = {(one.type, one.anchor): one for one in given}

    def checks(self) -> list[Check]:
        """One for each threshold of each silence, in order."""
        found: list[Check] = []
        for use in self.found:
            if use.registrations:
                found.append(self._not_collected(use))
            else:
                found.append(Check(NOT_COLLECTED, self.about, NOT_REGISTERED, use.start, None, {}))
            found += self._delivery_late(use)
            for silence in use.silences:
                found += self._silent(use, silence)
            found += ScanChecks(self._parcel, use, self._policy, self._alerts, self._end).checks()
        return found

    def mark(self, rows: Iterable[Row]) -> None:
        """Says of scans which come after their shipment's end, and of events where a number is used again."""
        for row in rows:
            if self.about not in row.names or row.left_out:
                continue
            for number, use in enumerate(self.found):
                inside = use.start <= row.time and (use.until is None or row.time < use.until)
                if inside and use.ended is not None and row.time > use.ended[0] and row.type == "scan":
                    row.marks.append(Mark("after_end", {"status": _status(use.ended[1]), "at": At(use.ended[0])}))
                if row.time == use.start and number and row.fresh:
                    row.marks.append(Mark("used_again", {"number": number + 1}))

    def state(self) -> Mark | None:
        """How the last use stands at the end."""
        rules = self._policy.shipments
        if not self.found:
            return None
        use = self.found[-1]
        if use.ended is not None:
            return Mark("ended", {"status": _status(use.ended[1]), "at": At(use.ended[0])})
        facts: Facts = {"since": At(use.last), "silent": Span(max(0, self._end - use.last)), "facility": use.facility}
        facts["status"] = _status(use.status) if use.status is not None else None
        if over(use, rules) < self._end:
            return Mark("given_up", {**facts, "at": At(over(use, rules))})
        return Mark("under_way", facts)

    def _not_collected(self, use: Use) -> Check:
        return self._check(silence_alerts.until_collected(use, self._policy), None)

    def _delivery_late(self, use: Use) -> list[Check]:
        """None where nothing was promised."""
        deadline, promise = until_delivered(use, self._policy), promise_of(use)
        if deadline is None or promise is None or promise.deliver_by is None:
            return []
        check = self._check(deadline, None)
        return [check._replace(facts={**check.facts, "deliver_by": At(promise.deliver_by)})]

    def _silent(self, use: Use, silence: Silence) -> list[Check]:
        """The slow one, and then the stall."""
        carrier, policy = self._parcel.carrier, self._policy
        awaited = silence_alerts.until_update(carrier, use, silence, policy, collected=silence.collected)
        found = [self._check(deadline, silence.facility) for deadline in reversed(awaited)]
        if silence.orders and not silence.collected:
            _, slow = silence_alerts.until_update(carrier, use, silence, policy, collected=True)
            if (slow.end is None or slow.end > slow.due) and slow.due < self._end:
                # Silent for long enough to be slow, but not collected: the other alerts' business.
                found.insert(0, Check(SLOW, self.about, AWAITS_COLLECTION, slow.since, slow.due, {}))
        return found

    def _check(self, deadline: Deadline, facility: str | None) -> Check:
        kind, since, end = deadline.type, deadline.since, deadline.end
        verdict = deadline.verdict(self._feed, self._policy.feed_silence.grace)
        silent = verdict.silent
        facts: Facts = {"threshold": Span(deadline.threshold), "strict": deadline.strict}
        if kind == STALLED and MERCHANT not in deadline.audiences:
            facts["platform_only"] = True
        if deadline.relief is not None:
            facts |= {"relief": deadline.relief.name, "relief_span": Span(deadline.relief.micros)}
        if silent is not None and silent.end is not None:
            facts |= self._moved(deadline.due, silent)
        match verdict.outcome:
            case "held":
                start = silent.start if silent is not None else deadline.due
                facts |= {"carrier": self._parcel.carrier, "silent_from": At(start)}
            case "moved_past_giving_up" | "past_giving_up":
                facts["given_up"] = At(deadline.given_up)
            case "prevented" | "prevented_after_move":
                facts |= self._update(end) if end is not None else {}
            case "raises":
                return self._raised(kind, since, verdict.time, facility, facts)
        return Check(kind, self.about, verdict.outcome, since, verdict.time, facts)

    def _raised(self, kind: str, since: int, due: int, facility: str | None, facts: Facts) -> Check:
        if due >= self._end:
            return Check(kind, self.about, PENDING, since, due, facts)
        if kind == STALLED:
            causes = self._expected[kind, since].evidence(RAISED)["causes"]
            facts["causes"] = [cause["code"] for cause in causes]
        sent = self._alerts.raised(kind, self.about, due)
        return raised(kind, self.about, since, due, {**facts, "facility": facility}, sent)

    def _moved(self, original: int, silent: Silent) -> Facts:
        return {
            "carrier": self._parcel.carrier,
            "original_due": At(original),
            "silent_from": At(silent.start),
            "silent_until": At(silent.end) if silent.end is not None else None,
        }

    def _update(self, time: int) -> Facts:
        """What came at an instant: the scan that counts of those at it, else an `order.shipped`."""
        ranks = [packed & MASK for packed in self._parcel.scans if packed >> BITS == time]
        what = _status(max(ranks)) if ranks else Coded("updates", "order.shipped")
        return {"at": At(time), "update": what}


def silence_starts(checks: Iterable[Check]) -> set[tuple[str, int]]:
    """The feeds' silences that moved or hold something: (carrier, start)."""
    found = set()
    for check in checks:
        start = check.facts.get("silent_from")
        if check.about.carrier is not None and isinstance(start, At):
            found.add((check.about.carrier, start.micros))
    return found


def _status(rank: int) -> Coded:
    return Coded("statuses", NAMES[rank])
