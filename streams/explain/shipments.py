"""The thresholds of a shipment: when each fell due, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy

from streams.explain.checks import PENDING, PREVENTED, Alerts, Check, raised
from streams.explain.facts import At, Coded, Facts, Name, Span
from streams.explain.rows import Mark, Row
from streams.policy.model import Policy
from streams.rules.reconcile import Expected
from streams.rules.shipments import silence_alerts
from streams.rules.shipments.carrier_feeds import Feed, Silent
from streams.rules.shipments.parcel import Parcel, Silence, Use, over, uses
from streams.rules.shipments.scan_status import BITS, MASK, NAMES
from streams.rules.shipments.silence_alerts import NOT_COLLECTED, SLOW, STALLED

#: The carrier's feed is silent, and whether and where to the deadline moves is not known.
HELD = "held"
PREVENTED_LATER, TOO_LATE = "prevented_after_move", "moved_past_giving_up"
NOT_REGISTERED, AWAITS_COLLECTION = "not_registered", "awaits_collection"


class ShipmentChecks:
    """All thresholds of one parcel. `end`: deadlines below it have passed."""

    def __init__(self, parcel: Parcel, feed: Feed | None, policy: Policy, alerts: Alerts, end: int) -> None:
        rules = policy.shipments
        self.about = Name("shipment", parcel.tracking_no, parcel.carrier)
        self.found = uses(parcel, rules.given_up, rules.keep)
        self._parcel, self._feed, self._policy, self._alerts, self._end = parcel, feed, policy, alerts, end
        given = silence_alerts.given(parcel, self.found, policy, feed).alerts
        self._expected = {(one.type, one.anchor): one for one in given}

    def checks(self) -> list[Check]:
        """One for each threshold of each silence, in order."""
        found: list[Check] = []
        for use in self.found:
            if use.registrations:
                found.append(self._not_collected(use))
            else:
                found.append(Check(NOT_COLLECTED, self.about, NOT_REGISTERED, use.start, None, {}))
            for silence in use.silences:
                found += self._silent(use, silence)
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
        if over(use, rules.given_up, rules.keep) < self._end:
            return Mark("given_up", {**facts, "at": At(over(use, rules.given_up, rules.keep))})
        return Mark("under_way", facts)

    def _not_collected(self, use: Use) -> Check:
        first = use.registrations[0]
        alone = copy(use)
        alone.silences, alone.collected, alone.ended = [], None, None
        (plain,) = silence_alerts.given(self._parcel, [alone], self._policy, None).alerts
        strict = self._policy.shipments.not_collected.strict
        collected = use.collected[0] if use.collected is not None else None
        return self._check(plain, NOT_COLLECTED, first.time, collected, strict, use.last + self._given_up)

    def _silent(self, use: Use, silence: Silence) -> list[Check]:
        row = self._policy.thresholds(self._parcel.carrier, silence.since)
        found = []
        for kind, rule in ((SLOW, row.slow), (STALLED, row.stalled)):
            plain = self._endless(use, silence, kind)
            if plain is not None:
                limit = silence.since + self._given_up
                found.append(self._check(plain, kind, silence.since, silence.end, rule.strict, limit))
            elif silence.orders:
                awaits = self._awaiting(use, silence, kind)
                found += [awaits] if awaits is not None else []
        return found

    def _endless(self, use: Use, silence: Silence, kind: str, *, collected: bool = False) -> Expected | None:
        """What the silence would give if no update and no feed's silence ended or moved it."""
        endless, alone = copy(silence), copy(use)
        endless.end = endless.end_rank = None
        endless.collected = endless.collected or collected
        alone.silences = [endless]
        given = silence_alerts.given(self._parcel, [alone], self._policy, None).alerts
        return next((one for one in given if one.type == kind and one.anchor == silence.since), None)

    def _awaiting(self, use: Use, silence: Silence, kind: str) -> Check | None:
        """A silence long enough to be slow, of a parcel that is not collected: another alert's business."""
        plain = self._endless(use, silence, kind, collected=True)
        if plain is None or (silence.end is not None and silence.end <= plain.raised) or plain.raised >= self._end:
            return None
        return Check(kind, self.about, AWAITS_COLLECTION, silence.since, plain.raised, {})

    def _check(self, plain: Expected, kind: str, since: int, end: int | None, strict: bool, limit: int) -> Check:
        """`plain`: the alert as it would be if nothing came; `end`: what came; `limit`: the giving up."""
        original = plain.raised
        told = plain.evidence("raised")
        facts: Facts = {"threshold": Span(original - since), "strict": strict}
        if kind == STALLED and plain.shop_id is None:
            facts["platform_only"] = True
        silent = self._feed.covering(original) if self._feed is not None else None
        given = self._expected.get((kind, since))
        if given is not None:
            if given.raised != original and silent is not None:
                facts |= self._moved(original, silent)
            if given.raised >= self._end:
                return Check(kind, self.about, PENDING, since, given.raised, facts)
            if kind == STALLED:
                causes = given.evidence("raised")["causes"]
                facts["causes"] = [cause["code"] for cause in causes]
            sent = self._alerts.raised(kind, self.about, given.raised)
            return raised(kind, self.about, since, given.raised, {**facts, "facility": told["facility"]}, sent)
        if end is not None and (end < original or (strict and end == original)):
            return Check(kind, self.about, PREVENTED, since, original, {**facts, **self._update(end)})
        if silent is None or silent.end is None:
            start = silent.start if silent is not None else original
            facts["carrier"] = self._parcel.carrier
            return Check(kind, self.about, HELD, since, original, {**facts, "silent_from": At(start)})
        moved = silent.end + self._policy.feed_silence.grace
        facts |= self._moved(original, silent)
        if moved > limit:
            return Check(kind, self.about, TOO_LATE, since, original, {**facts, "given_up": At(limit)})
        update = self._update(end) if end is not None else {}
        return Check(kind, self.about, PREVENTED_LATER, since, moved, {**facts, **update})

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

    @property
    def _given_up(self) -> int:
        return self._policy.shipments.given_up


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
