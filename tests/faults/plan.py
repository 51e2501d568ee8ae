"""What a run consists of, by its seed alone."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.faults.stream import SEEDS

#: How often each kind of fault is drawn, of those that a run comes through.
WEIGHTS = {
    "worker-killed": 3,
    "worker-killed-at-a-point": 8,
    "worker-frozen": 2,
    "worker-frozen-at-a-point": 4,
    "disk-full": 2,
    "store-wiped": 1,
    "store-stale": 2,
    "store-corrupt": 2,
    "store-of-another": 1,
    "broker-killed": 3,
    "broker-stopped": 2,
    "broker-frozen": 3,
    "broker-cut-off": 3,
    "brokers-all-killed": 1,
    "leaders-moved": 2,
    "answers-lost": 6,
    "answers-late": 5,
    "produce-refused": 1,
    "rebalance-storm": 2,
    "rebalance-in-a-restore": 2,
    "guest-comes-and-goes": 2,
    "changelogs-compacted": 2,
    "clock-jumps": 2,
    "outage-with-backlog": 1,
}

#: Seeds that draw most kinds between them: what is run before every change goes in.
SHORT = (54, 319, 205, 245)

#: Of a run without any: what its stream comes to if all is well.
NONE = "none"

#: What a run cannot come through: its workers must end and say why, and what they have said by then must be right.
LAST = {"changelog-emptied": 1, "partitions-added": 1}

#: What the brokers are told to do, and so have to be there for.
TOLD = {*LAST, "produce-refused"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, done when this share of the stream has been read; `seed` draws its details."""

    at: float
    kind: str
    seed: int


@dataclass(frozen=True, slots=True)
class Member:
    """A worker: static or not, with a copy of its state on disk or not; `point`: where it dies in its first life."""

    static: bool
    disk: bool
    point: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A run. `stream`: which of the streams; `session`: seconds of the workers' session; `once`: with transactions."""

    seed: int
    stream: int
    members: tuple[Member, ...]
    standbys: int
    fetch: int
    session: float
    once: bool
    faults: tuple[Fault, ...]
    ends: Literal["well", "told"]

    def lines(self) -> list[str]:
        """The plan, for whoever reads what has failed."""
        told = [
            f"seed {self.seed}: stream {self.stream}, {self.standbys} standbys, {self.fetch} records at once"
            f"{'' if self.once else ', without transactions'}"
        ]
        told += [f"worker {number}: {each}" for number, each in enumerate(self.members)]
        return told + [f"at {each.at:.2f} {each.kind} ({each.seed})" for each in self.faults]


#: Where a worker can die or stand still: see `child`.
POINTS = (
    "begun", "sending", "sent", "acknowledged", "offsets", "committing", "committed", "storing", "stored", "opened",
    "restoring", "revoking", "revoked",
)  # fmt: skip


def plan(seed: int, only: str | None = None) -> Plan:
    """The plan of this seed; with `only`, all its faults are of that kind."""
    random = Random(seed)
    members = tuple(
        Member(
            static=random.random() < 0.5,
            disk=random.random() < 0.6,
            point=random.choice(POINTS[:8]) if random.random() < 0.3 else None,
        )
        for _ in range(random.choice((2, 2, 3)))
    )
    if only == NONE:
        members = tuple(Member(each.static, each.disk, None) for each in members)
        return Plan(seed, seed % len(SEEDS), members, 0, 2000, 3.0, True, (), "well")
    times = sorted(random.uniform(0.02, 0.85) for _ in range(random.randint(4, 8)))
    kinds = random.choices([*WEIGHTS], [*WEIGHTS.values()], k=len(times))
    faults = [Fault(at, only or kind, random.randrange(1 << 30)) for at, kind in zip(times, kinds, strict=True)]
    ends: Literal["well", "told"] = "well"
    if random.random() < 0.04 or only in LAST:
        last = random.choices([*LAST], [*LAST.values()])[0]
        faults = [each for each in faults if each.kind not in LAST]
        faults.append(Fault(0.9, only or last, random.randrange(1 << 30)))
        ends = "told"
    stream, once = random.randrange(len(SEEDS)), random.random() < 0.9
    if not once:
        members = tuple(Member(each.static, False, each.point) for each in members)
    return Plan(
        seed,
        stream,
        members,
        standbys=random.choice((0, 0, 1)) if once else 0,
        fetch=random.choice((8, 50, 2000)),
        session=3.0,
        once=once,
        faults=tuple(faults),
        ends=ends,
    )
