"""Feeds: when a whole carrier was silent, and the deadlines that this moves."""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass

from tests.oracle.policy import DAY, HOUR, OraclePolicy
from tests.oracle.timeline import Event, OracleAlert, episode

# Later than any `until`.
NEVER = 1 << 62


@dataclass(frozen=True)
class Deadline:
    """What is due at an instant; an update at that very instant is in time where the deadline is strict."""

    time: int
    strict: bool
    moved: bool = False

    def is_missed(self, following: int | None) -> bool:
        """Whether the update that should have come (None: never did) was not in time."""
        if following is None:
            return True
        return following > self.time or (following == self.time and not self.strict)


@dataclass(frozen=True)
class FeedSilence:
    """A carrier's silence from the boundary that tells it up to, not including, its next scan (None: none yet)."""

    start: int
    resumed: int | None

    def contains(self, time: int) -> bool:
        """Whether an instant lies in it."""
        return self.start <= time and (self.resumed is None or time < self.resumed)


class Feeds:
    """The silences of every carrier's feed."""

    def __init__(self, events: list[Event], policy: OraclePolicy, until: int) -> None:
        self.policy = policy
        self.alerts: list[OracleAlert] = []
        self.silences: dict[str, list[FeedSilence]] = {}
        scans: dict[str, set[tuple[int, str, str]]] = defaultdict(set)
        for event in events:
            if event.type == "scan":
                # A set: a scan told again is the same scan.
                name = event.time, event.value["tracking_no"], event.value["status"]
                scans[event.value["carrier"]].add(name)
        for carrier, names in scans.items():
            self.silences[carrier] = self._judge(sorted(time for time, _, _ in names), until)
            for silence in self.silences[carrier]:
                self.alerts += episode(
                    topics=("platform",),
                    type_="carrier.feed_silent",
                    subject=carrier,
                    raised_at=silence.start,
                    resolved=None if silence.resumed is None else (silence.resumed, "resumed"),
                    shop=None,
                    carrier=carrier,
                )

    def moved(self, carrier: str, deadline: Deadline) -> Deadline:
        """The deadline, or what a silence makes of it: strict, and some hours after the next scan."""
        for silence in self.silences.get(carrier, []):
            if silence.contains(deadline.time):
                at = NEVER if silence.resumed is None else silence.resumed + self.policy.feed_grace
                return Deadline(at, strict=True, moved=True)
        return deadline

    def _judge(self, times: list[int], until: int) -> list[FeedSilence]:
        """Judges every hour boundary up to which a scan can still be in the mean."""
        found: list[FeedSilence] = []
        length = self.policy.feed_hours * HOUR
        if len(times) < self.policy.feed_min_scans * self.policy.feed_days:
            return found  # no mean can be large enough
        last = min(until - 1, times[-1] + self.policy.feed_days * DAY + length)
        for boundary in range(times[0] // HOUR * HOUR, last + 1, HOUR):
            if _count(times, boundary - length, boundary):
                continue
            before = [
                _count(times, boundary - day * DAY - length, boundary - day * DAY)
                for day in range(1, self.policy.feed_days + 1)
            ]
            if sum(before) < self.policy.feed_min_scans * self.policy.feed_days:
                continue
            # Already told: the boundary is judged before the scan at its instant, so one that resumes here is open.
            if found and (found[-1].resumed is None or boundary <= found[-1].resumed):
                continue
            found.append(FeedSilence(boundary, next((time for time in times if time >= boundary), None)))
        return found


def _count(times: list[int], start: int, end: int) -> int:
    """How many of the sorted times are in start <= time < end."""
    return bisect_left(times, end) - bisect_left(times, start)
