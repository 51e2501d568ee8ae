"""What all tasks of one worker run on."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.engine.clock import Clock, Now, system_now
from streams.engine.log.interface import Log
from streams.engine.positions import OnLost
from streams.engine.store.interface import Store
from streams.engine.store.memory import MemoryStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """When a task commits: `seconds` after its last commit began, or after a number of records and slices, or of bytes
    of large outputs: a transaction is held in memory, and has to be written within its time.

    Sooner if something waits for it: `prompt` seconds after the last commit, and no sooner than that took itself.
    `at_once`: how many tasks of a worker commit at the same time. `direct`: a watermark for more tasks than that is
    told for a worker's tasks together (see `streams.engine.announcements`). Waits after errors, in seconds.
    """

    seconds: float = 0.5
    events: int = 50_000
    bytes: int = 16 << 20
    prompt: float = 0.1
    at_once: int = 16
    direct: int = 8
    first_wait: float = 0.2
    longest_wait: float = 5.0
    #: After a fencing: time for the rebalance to tell that the task belongs to another worker.
    fenced_wait: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRuntime:
    """The log and the store of a worker's tasks, and how they run. Times are seconds.

    `store` keeps copies of what `log` holds of changelogs. `once` ends the worker when the whole group has reached
    the end of `clock`. `standbys`: how many other workers follow each task. `fetch_records`: records of a partition
    that are taken at once. `revoke_seconds`: what tasks get to commit when the group takes them away. `quiet_seconds`:
    where `clock` catches up, what has had nothing for so long is in the present. `trim_seconds`:
    between two deletions of what all have read. `rebuild_seconds`: silence of all brokers behind which connections are
    made anew from the first addresses; `broker_patience`: silence behind which the worker ends. `on_lost`: what to do
    where records are gone before they were read. `begin_anew`: whether an application without state may begin though
    its outputs hold records.
    """

    log: Log
    clock: Clock
    store: Store = field(default_factory=MemoryStore)
    now: Now = system_now
    cadence: Cadence = field(default_factory=Cadence)
    once: bool = False
    standbys: int = 0
    fetch_records: int = 2000
    revoke_seconds: float = 4.0
    quiet_seconds: float = 30.0
    trim_seconds: float = 30.0
    rebuild_seconds: float = 8.0
    broker_patience: float = 300.0
    on_lost: OnLost = "stop"
    begin_anew: bool = False
