"""Finds a person in the changelogs of an application, and removes them from its state.

Workers may keep running. Each task whose state changes is taken over for a moment, as a worker would: this fences its
owner and aborts its open transaction. The changed rows are written in one transaction; the fenced worker takes the task
back and restores it from the changelog. So everything committed before reflects the history with the person, everything
after it the history without, and nothing is lost or emitted twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from streams.engine.errors import FatalError, FencedError, LogError
from streams.engine.formats import FORMAT, OLDEST
from streams.engine.log.interface import Log, TopicPartition, Transaction
from streams.engine.log.journal import PIECE, refuse
from streams.engine.processor import Dataflow
from streams.engine.task import progress_of
from streams.engine.topology import TaskId, Topology
from streams.forget.orders import HeldOrder, Wanted, held
from streams.forget.parcels import Cut, HeldParcel, Search, is_facility, is_of_ties, without_names, without_scans
from streams.policy.model import Policy
from streams.stages.cases.table import CASE_LETTER, case_keys, case_of
from streams.stages.changelog_rows import ChangelogRows, parts_of
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK
from streams.stages.help_rate.shipment_alerts import ALERT_LETTER
from streams.stages.split_rows import is_piece

#: First byte of the rows of a processor in a changelog.
_PROCESSOR = b"p"
#: Most attempts to take over a task when a worker takes it back first.
_ATTEMPTS = 5

#: Receives the number of offsets read, for progress.
Progress = Callable[[int], None]
#: Prefilter by row key and row.
Changes = dict[bytes, bytes | None]


@dataclass(slots=True)
class Rows:
    """The prefiltered rows of one task as of `end`, and the parcel rows with the orders removed.

    `own`: rows by which a log without transactions says how far it holds.
    """

    source: TopicPartition
    end: int
    rows: dict[bytes, bytes] = field(default_factory=dict)
    cuts: dict[bytes, Cut] = field(default_factory=dict)
    own: dict[bytes, bytes] = field(default_factory=dict)
    #: Tracks which rows are split into pieces.
    large: ChangelogRows = field(default_factory=ChangelogRows)


@dataclass(slots=True)
class Held:
    """What the state holds, by task: orders, parcels, and how many facilities know their stalls."""

    orders: dict[TaskId, list[HeldOrder]] = field(default_factory=dict)
    parcels: dict[TaskId, list[HeldParcel]] = field(default_factory=dict)
    facilities: dict[TaskId, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True if the state holds nothing of them."""
        return not (self.orders or self.parcels or self.facilities)

    @property
    def names(self) -> list[str]:
        """The orders."""
        return [one.order_id for found in self.orders.values() for one in found]


async def topology_of(app_id: str, flow: Dataflow, log: Log) -> Topology:
    """The tasks of an existing application. Raises `FatalError` if there is none."""
    empty = Topology(app_id, flow, {})
    present = await log.partitions([empty.changelog(kind.name) for kind in flow.kinds])
    for kind in flow.kinds:
        if empty.changelog(kind.name) not in present:
            raise FatalError(f"no state of an application {app_id}: topic {empty.changelog(kind.name)} does not exist")
    return Topology(app_id, flow, {kind.name: present[empty.changelog(kind.name)] for kind in flow.kinds})


class State:
    """The state of an application. `transactions`: whether its workers use them; see the worker's `--guarantee`.

    Without transactions nothing fences a worker: none may run.
    """

    def __init__(self, log: Log, topology: Topology, policy: Policy, *, transactions: bool = True) -> None:
        self._log = log
        self._topology = topology
        self._policy = policy
        self._transactions = transactions
        self._found: dict[TaskId, Rows] = {}
        self._wanted = Wanted()
        self._search = Search((), ())

    async def size(self) -> int:
        """Number of offsets that `look` will read."""
        return sum([end - begin for begin, end in [await self._span(task) for task in self._topology.tasks()]])

    async def look(self, wanted: Wanted, progress: Progress) -> Held:
        """Reads the changelogs. Raises `FatalError` if they are of another guarantee or of a newer format."""
        self._wanted = wanted
        for task in self._of(ORDERS_TASK):
            self._found[task] = await self._read(task, progress)
        held_orders = [one for task in self._of(ORDERS_TASK) for one in self._orders_of(self._found[task])]
        orders = {one.order_id for one in held_orders} | ({wanted.order} if wanted.order is not None else set())
        self._search = Search(orders, {parcel for one in held_orders for parcel in one.parcels})
        for task in self._of(SHIPMENTS_TASK):
            self._found[task] = await self._read(task, progress)
        return self._held()

    async def remove(self) -> Held:
        """Removes what `look` found, brought up to date first. Returns what was removed. Raises `LogError`.

        Raises `FatalError`, and has removed nothing, if a task's state is still that of an older version.
        """
        for found in self._found.values():
            _check_format(found, oldest=FORMAT)
        for task, found in self._found.items():
            if self._changes(task):
                await self._rewrite(task, found)
        return self._held()

    # -- reading

    def _of(self, kind: str) -> list[TaskId]:
        return [task for task in self._topology.tasks() if task.kind == kind]

    async def _span(self, task: TaskId) -> tuple[int, int]:
        source = self._changelog(task)
        begin = (await self._log.begin_offsets([source]))[source]
        return begin, (await self._log.end_offsets([source]))[source]

    def _changelog(self, task: TaskId) -> TopicPartition:
        return TopicPartition(self._topology.changelog(task.kind), task.partition)

    async def _read(self, task: TaskId, progress: Progress) -> Rows:
        begin, end = await self._span(task)
        found = Rows(self._changelog(task), end)
        await self._take(task, found, begin, progress)
        if self._transactions:
            refuse(found.source, found.own)
        _check_format(found)
        return found

    async def _take(self, task: TaskId, found: Rows, begin: int, progress: Progress) -> None:
        wants = self._may_be if task.kind == ORDERS_TASK else self._search.may_be
        position = begin
        async for batch in self._log.rows(found.source, begin, found.end):
            for key, row in batch.rows:
                kept = found.rows if key[:1] == _PROCESSOR else found.own
                name = key[1:] if key[:1] == _PROCESSOR else key
                if row is not None and (kept is found.own or wants(name, row)):
                    kept[name] = row
                else:
                    kept.pop(name, None)
            progress(batch.next - position)
            position = batch.next
        if task.kind == SHIPMENTS_TASK:
            found.cuts = self._search.cuts(found.rows, self._policy)

    def _may_be(self, key: bytes, row: bytes) -> bool:
        """Of an orders task: of which parcels its shops know alerts is told by the shipments."""
        return key[:1] == ALERT_LETTER or self._wanted.may_be(key, row)

    # -- what is there, and what is left without it

    def _held(self) -> Held:
        held = Held()
        stalls = self._stalls()
        for task, found in self._found.items():
            if task.kind == ORDERS_TASK:
                if orders := self._orders_of(found):
                    held.orders[task] = orders
                continue
            if parcels := [cut.held for cut in found.cuts.values()]:
                held.parcels[task] = parcels
            if named := sum(_without_names(row, stalls) is not None for row in _facilities(found).values()):
                held.facilities[task] = named
        return held

    def _orders_of(self, found: Rows) -> list[HeldOrder]:
        cases = [case_of(found.rows, key, row) for key, row in found.rows.items() if _is_of_case(key)]
        return [held(case) for case in cases if self._wanted.is_theirs(case)]

    def _stalls(self) -> frozenset[str]:
        """Names of the removed stalls; facilities in any partition may know them."""
        return frozenset(name for found in self._found.values() for cut in found.cuts.values() for name in cut.stalls)

    def _changes(self, task: TaskId) -> Changes:
        found = self._found[task]
        if task.kind == ORDERS_TASK:
            alerts = frozenset(
                alert for each in self._found.values() for cut in each.cuts.values() for alert in cut.alerts
            )
            told: Changes = {
                key: None for key in found.rows if key[:1] == ALERT_LETTER and tuple(parts_of(key)[1][1:]) in alerts
            }
            return told | {
                name: None
                for key, row in found.rows.items()
                if _is_of_case(key) and self._wanted.is_theirs(case_of(found.rows, key, row))
                for name in case_keys(key, row)
            }
        changes: Changes = {name: row for cut in found.cuts.values() for name, row in cut.rows.items()}
        gone = {(key, scan) for key, cut in found.cuts.items() for scan in cut.scans}
        for key, row in found.rows.items():
            if gone and is_of_ties(key) and (left := without_scans(row, gone)) != row:
                changes[key] = left
        stalls = self._stalls()
        for key, row in _facilities(found).items():
            if (nameless := _without_names(row, stalls)) is not None:
                found.large.put_encoded(changes, key, nameless)
        return changes

    # -- taking it out

    async def _rewrite(self, task: TaskId, found: Rows) -> None:
        """Takes the task over and rewrites its current rows without what is removed."""
        for _ in range(_ATTEMPTS):
            writer = await self._log.writer(self._topology.transactional_id(task), self._topology.app_id)
            try:
                await self._catch_up(task, found)
                await writer.resume(found.source, found.own)
                rows = {_PROCESSOR + key: row for key, row in self._changes(task).items()}
                if rows:
                    # What a commit without transactions was to send has been sent, and names orders too.
                    rows |= dict.fromkeys(key for key in found.own if key[:1] == PIECE)
                    await writer.commit(Transaction(found.source, rows=rows))
                return
            except FencedError:
                continue
            finally:
                await writer.close()
        raise LogError(f"{task} was taken back by its worker {_ATTEMPTS} times: try again")

    async def _catch_up(self, task: TaskId, found: Rows) -> None:
        """Reads the rows written since the last read; nobody writes any more."""
        begin, found.end = found.end, (await self._span(task))[1]
        if begin == found.end:
            return
        if not self._transactions:
            raise FatalError(f"{found.source.topic} is being written: stop all workers first")
        await self._take(task, found, begin, lambda _: None)


def _check_format(found: Rows, oldest: int = OLDEST) -> None:
    """Raises `FatalError` if the state is of a newer format, or of one before `oldest`.

    What is written here is of this version's format. Workers of an older one might go on from it, and would misread it.
    """
    name = f"{found.source.topic}-{found.source.partition}"
    progress = progress_of(found.own, name)
    if progress is not None and progress.format < oldest:
        raise FatalError(
            f"changelog {name} was written by an older version, in format {progress.format}: start workers of this "
            "version first, or use that version's forget"
        )


def _is_of_case(key: bytes) -> bool:
    return key[:1] == CASE_LETTER and not is_piece(key)


def _facilities(found: Rows) -> dict[bytes, bytes]:
    rows = ((key, row) for key, row in found.rows.items() if is_facility(key))
    return dict(found.large.whole(rows, b""))


def _without_names(row: bytes, stalls: frozenset[str]) -> bytes | None:
    return without_names(row, stalls, _nameless()) if stalls else None


def _nameless() -> Iterator[str]:
    while True:
        yield f"-/{secrets.token_hex(8)}"
