"""What a seed decides before it begins: the cluster, its numbers, and which faults there are at all.

Each seed has a mix of faults of its own, from none to all: where everything fails at once, whatever needs one fault and
then quiet is never reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

#: Requests before or behind which a process is killed or stopped.
KINDS = (
    "init", "add", "produce", "add_offsets", "offsets", "end_transaction",
    "rows", "begin", "end", "committed", "fetch", "ids", "join", "sync", "heartbeat", "leave", "trim", "describe",
)  # fmt: skip
#: All faults.
FAULTS = (
    "kill", "kill_at", "stop", "stop_at", "cut", "outage", "restart", "come", "go", "rejoin", "forget",
    "compact", "loss",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbers of one seed. Times are seconds."""

    orders: int
    scans: int
    outputs: int
    workers: int
    standbys: int
    session: float
    transaction: float
    request: float
    latency: float
    lag: float
    shuffle: float
    slow: float
    commit: float
    events: int
    fetch: int
    fenced_wait: float
    at_once: int
    direct: int
    trim: float
    faults: frozenset[str]
    pause: float
    duration: float
    #: Seconds over which the stream is written; 0: all of it is there before the first worker.
    writing: float
    faust: bool


def plan_of(rng: Random) -> Plan:
    """Draws a plan."""
    share = rng.choice((0.2, 0.4, 0.7))
    return Plan(
        orders=rng.choice((1, 2, 2, 3)),
        scans=rng.choice((1, 2, 2, 3)),
        outputs=rng.choice((1, 2)),
        workers=rng.choice((1, 2, 2, 3)),
        standbys=rng.choice((0, 0, 1, 1, 2)),
        session=rng.choice((1.0, 2.0, 4.0)),
        transaction=rng.choice((1.0, 2.0, 4.0)),
        request=rng.choice((0.8, 1.5, 3.0)),
        latency=rng.choice((0.002, 0.02, 0.1)),
        lag=rng.choice((0.0, 0.05, 0.3)),
        shuffle=rng.choice((0.0, 0.1, 0.5, 1.0)),
        slow=rng.choice((0.0, 0.0, 0.2)),
        commit=rng.choice((0.05, 0.2, 0.5)),
        events=rng.choice((2, 20, 50_000)),
        fetch=rng.choice((1, 3, 20, 2000)),
        fenced_wait=rng.choice((0.1, 1.0)),
        at_once=rng.choice((1, 2, 16)),
        direct=rng.choice((0, 0, 1, 8)),
        trim=rng.choice((1.0, 30.0)),
        faults=frozenset(fault for fault in FAULTS if rng.random() < share),
        pause=rng.choice((0.3, 0.8, 2.0)),
        duration=rng.choice((3.0, 6.0, 10.0)),
        writing=rng.choice((0.0, 0.0, 0.5, 1.0)),
        faust=rng.random() < 0.2,
    )
