"""Runs one task while it is assigned to the worker: takes it over, restores, feeds, commits, restarts it after errors.

Every log error is handled alike: drop the state, give up the writer, open a new one (which fences whatever the old one
still has in flight), and restore from the changelog.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from streams.engine.announcements import Announcements
from streams.engine.changelog import Changelog
from streams.engine.collector import free_given_up, paused
from streams.engine.errors import DeniedError, FatalError, FencedError, LogError
from streams.engine.log.interface import Committed, Fetched, TopicPartition, Transaction, Writer
from streams.engine.offset_texts import BEGIN
from streams.engine.positions import Positions
from streams.engine.processor import Processor
from streams.engine.rights import grants
from streams.engine.runtime import TaskRuntime
from streams.engine.store.interface import CommittedTable
from streams.engine.table import Tabled
from streams.engine.task import Task, prefix_of
from streams.engine.topology import TaskId, Topology

#: Makes the empty processor of a task.
Factory = Callable[[str, int], Processor]

#: Makes that, given the number of tasks of each kind.
Assemble = Callable[[Mapping[str, int]], Factory]

#: Slices of 50 ms that a stopping task may still run.
_LAST_SLICES = 10
#: Every takeover in this process has an epoch of its own, so that no batch fetched for one is given to another.
_epochs = itertools.count(1)


class Observer(Protocol):
    """Told of what happens to tasks."""

    def restoring(self, task: TaskId, rows: int, left: int) -> None: ...

    def restored(self, task: Task, rows: int, seconds: float) -> None: ...

    def committed(self, task: Task, transaction: Transaction, seconds: float) -> None: ...

    def commit_failed(self, task: TaskId, error: LogError) -> None: ...

    def failed(self, task: TaskId, error: LogError) -> None: ...

    def lost(self, source: TopicPartition, offsets: int) -> None: ...


class Kept(NamedTuple):
    """A task as of its last commit, the end of its changelog then, and its table, if it has one."""

    task: Task
    end: int
    table: CommittedTable | None
    inputs: Mapping[str, bytes]


class Runner:
    """One assigned task. `run` is its life, `stop` ends it; in between, `put` and `at_end` feed it.

    `seek` sets the consumer's position; the epoch tells what was fetched before that. `positions`, `turns`, of which
    each commit takes one, and `announcements` are shared by the tasks of a worker.
    """

    def __init__(
        self,
        runtime: TaskRuntime,
        topology: Topology,
        task: TaskId,
        factory: Factory,
        seek: Callable[[TopicPartition, int, int], None],
        observer: Observer,
        kept: Kept | None = None,
        positions: Positions | None = None,
        turns: asyncio.Semaphore | None = None,
        announcements: Announcements | None = None,
    ) -> None:
        self.id = task
        self.sources = topology.partitions_of(task)
        self.epoch = 0
        #: Whether the end of `Clock.end` has been committed.
        self.final = False
        #: Number of restarts, and since when (monotonic clock) a commit has been in flight.
        self.failures = 0
        self.committing: float | None = None
        #: Since when (monotonic clock) end offsets wait for the task to take them.
        self.untaken: float | None = None
        #: Whether a state is being restored, and the offsets of the changelog left for it; None before that is known.
        self.restoring = False
        self.left: int | None = None
        #: The positions of the last commit.
        self.committed: Mapping[TopicPartition, Committed] = {}
        self._runtime = runtime
        self._log = runtime.log
        self._cadence = runtime.cadence
        self._topology = topology
        self._positions = positions or Positions(runtime.log, runtime.on_lost, observer.lost)
        self._factory = factory
        self._seek = seek
        self._observer = observer
        self._kept = kept
        self._end: int | None = None
        self._task: Task | None = None
        self._table: CommittedTable | None = None
        self._writer: Writer | None = None
        self._changelog: Changelog | None = None
        self._inbox: deque[tuple[Fetched, Callable[[], None]]] = deque()
        self._ends: tuple[int, Mapping[TopicPartition, int]] | None = None
        #: The highest end offsets seen, and the error that put the task in doubt.
        self._seen: dict[TopicPartition, int] = {}
        self._doubt: LogError | None = None
        self._ids: Mapping[str, bytes] = {}
        self._arrived = asyncio.Event()
        self._wake = asyncio.Event()
        self._begun = asyncio.Event()
        self._turns = turns or asyncio.Semaphore()
        self._announcements = announcements or Announcements(self._cadence.prompt)
        #: When the last commit began and ended (monotonic clock), and the wake-up for one that somebody waits for.
        self._last = (0.0, 0.0)
        self._soon: asyncio.TimerHandle | None = None
        self._stopping = False

    @property
    def task(self) -> Task | None:
        """The task, unless it is being taken over or restarted."""
        return None if self._stopping else self._task

    async def run(self) -> None:
        """Returns after the last commit once stopped. Raises what the processor raises, and `FatalError`."""
        wait = self._cadence.first_wait
        try:
            while not self._stopping:
                try:
                    await self._open()
                    wait = self._cadence.first_wait
                    await self._work()
                    continue
                except LogError as error:
                    self.failures += 1
                    self._observer.failed(self.id, error)
                    if isinstance(error, DeniedError):
                        self._end_for(error)
                    await self._give_up()
                    fenced = isinstance(error, FencedError)
                    _let_go(error)
                # Outside the handler: the error references the old state, which is in cycles and must be freed before
                # the new state is built.
                self._doubt = None
                free_given_up()
                await self._sleep(self._cadence.fenced_wait if fenced else wait)
                wait = min(wait * 2, self._cadence.longest_wait)
        finally:
            self._stopping = True
            await self._give_up()

    def _end_for(self, error: DeniedError) -> None:
        """Raises `FatalError` for a right whose lack shows only when the log refuses a request."""
        if untold := [right for right in error.rights if right.resource != "topic"]:
            raise FatalError(grants(untold, self._log.user)) from error

    def stop(self) -> None:
        """Requests the last commit. What was fetched but not yet accepted is left to the next owner."""
        self._stopping = True
        self._wake.set()

    def put(self, fetched: Fetched, handled: Callable[[], None]) -> None:
        """Queues a batch; `handled` is called once it is taken or dropped."""
        self._inbox.append((fetched, handled))
        self._arrived.set()

    def at_end(self, requested: int, ends: Mapping[TopicPartition, int]) -> None:
        """Takes end offsets that were asked for at `requested` (microseconds)."""
        self._ends = (requested, ends)
        if self.untaken is None:
            self.untaken = time.monotonic()
        for source in self.sources & ends.keys():
            self._seen[source] = max(ends[source], self._seen.get(source, 0))
        self._arrived.set()

    def doubt(self, error: LogError) -> None:
        """Restarts the task, with all checks: the log differs from what the task relies on."""
        self._doubt = error
        self._wake.set()

    @property
    def ids(self) -> Mapping[str, bytes]:
        """The ids of the task's input topics and of its changelog, as of the takeover."""
        return self._ids

    @property
    def changelog_end(self) -> int:
        """The offset up to which the changelog holds the state as it is here; 0 before the first commit."""
        return self._end or 0

    @property
    def kept(self) -> Kept | None:
        """The task as `run` left it, if all of it is committed. Valid only after `run` has returned."""
        return self._kept

    # -- taking over

    async def _open(self) -> None:
        began = time.monotonic()
        topology, task = self._topology, self.id
        self._doubt = self.left = None
        source = TopicPartition(topology.changelog(task.kind), task.partition)
        # Ask before reading: if the ids are the same at the commit, everything was read from these topics.
        ids = self._ids = await self._positions.ids([*self.sources, source])
        inputs = {topic: ids[topic] for topic in topology.inputs(task.kind)}
        self._writer = await self._log.writer(topology.transactional_id(task), topology.app_id)
        # Ask before the changelog is read: it must contain whatever is committed by now.
        committed = await self._log.committed(topology.app_id, self.sources)
        changelog = self._changelog = Changelog(self._log, self._runtime.store, topology, task)
        kept, self._kept = self._kept, None
        if (
            kept is not None
            and await changelog.end() == kept.end
            and await changelog.keep(kept.end, kept.table, kept.inputs)
        ):
            # All other writers are fenced, and none has written since: the state is current.
            self._end, self._table = kept.end, kept.table
            await self._settle(kept.task, changelog, kept.end, inputs, committed)
            self._begin(kept.task, 0, time.monotonic() - began)
            return
        if kept is not None:
            kept = None
            free_given_up()
        processor = self._factory(task.kind, task.partition)
        tabled = prefix_of(processor.letter) if isinstance(processor, Tabled) else None
        self.restoring = True
        restored = await changelog.restore(lambda: self._stopping, self._restoring, tabled)
        if restored is None:
            return
        saved, self._table = restored.saved, restored.table
        if restored.table is not None and isinstance(processor, Tabled):
            processor.attach(restored.table)
        await self._writer.resume(source, saved)
        # In a thread: a large state takes seconds, and heartbeats must go on.
        opened = await asyncio.to_thread(self._build, processor, saved)
        if not opened.restored:
            begin = {each: put.offset for each, put in committed.items() if put.metadata == BEGIN}
            if len(begin) < len(committed):
                raise FatalError(
                    f"the group {topology.app_id} has read {topology.inputs(task.kind)[0]} before, but "
                    f"{topology.changelog(task.kind)} has lost partition {task.partition}: begin anew with "
                    "parcelwatch reset"
                )
            opened.begin_at(await self._positions.begin(self.sources, begin))
            changelog.inputs = inputs
        else:
            await self._settle(opened, changelog, restored.end, inputs, committed)
        # A new task is kept only after its first commit, which writes the changelog's head.
        self._end = restored.end if opened.restored else None
        self._begin(opened, restored.read, time.monotonic() - began)

    def _restoring(self, rows: int, left: int) -> None:
        self.left = left
        self._observer.restoring(self.id, rows, left)

    async def _settle(
        self,
        opened: Task,
        changelog: Changelog,
        end: int,
        inputs: Mapping[str, bytes],
        committed: Mapping[TopicPartition, Committed],
    ) -> None:
        """Verifies the positions; stops or skips what is lost, as configured. `end`: of the changelog, as restored."""

        async def current() -> None:
            # A worker that stood still since may find deleted what another has read, committed and trimmed.
            if await changelog.end() != end:
                raise FencedError(f"{self.id} has been taken over while it was being restored")

        positions = opened.positions()
        resume = await self._positions.settle(
            positions, changelog.inputs, inputs, self._seen, committed, current=current
        )
        if resume:
            opened.go_on_at(resume)
        self._seen.clear()
        changelog.inputs = inputs

    def _begin(self, opened: Task, rows: int, seconds: float) -> None:
        self.epoch = next(_epochs)
        for source, offset in opened.positions().items():
            self._seek(source, offset, self.epoch)
        self.final = opened.final
        self._task = opened
        self.restoring, self.untaken = False, None
        self._arrived.set()
        self._observer.restored(opened, rows, seconds)

    def _build(self, processor: Processor, saved: Mapping[bytes, bytes]) -> Task:
        with paused():
            runtime = self._runtime
            return Task(self._topology, self.id, processor, runtime.clock, runtime.now, saved, self._cadence.direct)

    async def _give_up(self) -> None:
        self._task = None
        self.restoring = False
        while self._inbox:
            _, handled = self._inbox.popleft()
            handled()
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()
        changelog, self._changelog = self._changelog, None
        if changelog is not None:
            await changelog.close()

    # -- feeding and committing

    async def _work(self) -> None:
        task, writer, changelog = self._task, self._writer, self._changelog
        if task is None or writer is None or changelog is None:
            return
        feeding = asyncio.create_task(self._feed(task))
        feeding.add_done_callback(lambda _: self._wake.set())
        self._announcements.listen(self._wake.set)
        try:
            while not self._stopping:
                await self._sleep(self._until_due())
                if self._doubt is not None:
                    raise self._doubt
                if feeding.done():
                    feeding.result()
                if not self._stopping:
                    await self._commit(task, writer, changelog)
                    self._hurry(task)
        finally:
            self._announcements.leave(self._wake.set)
            self._no_sooner()
            feeding.cancel()
            await asyncio.wait([feeding])
        # Finish a round that is nearly complete, so that the commit holds its results and its horizons together.
        for _ in range(_LAST_SLICES):
            if task.midway or not (task.in_round and task.advance()):
                break
        await self._commit(task, writer, changelog, parting=True)
        if self._end is not None:
            self._kept = Kept(task, self._end, self._table, changelog.inputs)

    async def _feed(self, task: Task) -> None:
        """Takes what has arrived, then settles what it can, in slices that yield to the event loop."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._inbox:
                await self._room(task)
                fetched, handled = self._inbox.popleft()
                try:
                    if fetched.epoch == self.epoch:
                        for _ in task.portions(fetched):
                            await asyncio.sleep(0)
                finally:
                    handled()
                await asyncio.sleep(0)
            if self._ends is not None:
                requested, ends = self._ends
                self._ends = self.untaken = None
                for source in self.sources & ends.keys():
                    task.at_end(source.topic, requested, ends[source])
            while task.advance():
                self._hurry(task)
                await asyncio.sleep(0)
            self._hurry(task)

    async def _room(self, task: Task) -> None:
        """Waits while a full transaction is uncommitted, so that slow commits do not grow memory."""
        while self._full(task):
            self._begun.clear()
            self._wake.set()
            await self._begun.wait()

    def _full(self, task: Task) -> bool:
        return task.unsaved >= self._cadence.events or task.held >= self._cadence.bytes

    def _hurry(self, task: Task) -> None:
        if self._full(task) or (task.complete and not task.final):
            self._wake.set()
        elif self._soon is None and self.committing is None and task.awaited:
            began, ended = self._last
            wait = ended + max(self._cadence.prompt, ended - began) - time.monotonic()
            self._soon = asyncio.get_running_loop().call_later(max(wait, 0.0), self._wake.set)

    def _no_sooner(self) -> None:
        soon, self._soon = self._soon, None
        if soon is not None:
            soon.cancel()

    def _until_due(self) -> float:
        """Seconds until the next commit; between slow ones some of them are left to others."""
        began, ended = self._last
        seconds = self._cadence.seconds
        return max(began + seconds, ended + seconds / 4) - time.monotonic()

    async def _commit(self, task: Task, writer: Writer, changelog: Changelog, *, parting: bool = False) -> None:
        """Commits in turn: what arrives while a task waits for its turn goes into the same transaction."""
        async with self._turns:
            await self._commit_now(task, writer, changelog, parting=parting)

    async def _commit_now(self, task: Task, writer: Writer, changelog: Changelog, *, parting: bool) -> None:
        self._no_sooner()
        began = time.monotonic()
        self._last = (began, began)
        if task.midway:
            # Wait for the rest of a partly taken envelope or, if the task is stopping, drop it: the next owner reads
            # the whole of it.
            self._end = None if self._stopping else self._end
            return
        with self._announcements.telling() as telling:
            transaction = task.snapshot(parting=parting, telling=telling)
            self._begun.set()
            if transaction is None:
                return
            final = task.final
            self.committing = began
            try:
                changelog.begin(transaction)
                await self._positions.confirm([*self.sources, changelog.source], self._ids)
                end = await writer.commit(transaction)
                await changelog.committed(transaction, end)
            except LogError as error:
                self._observer.commit_failed(self.id, error)
                raise
            finally:
                self.committing = None
        self._announcements.add(task.announced)
        self._last = (began, time.monotonic())
        self._end = end if end is not None else self._end
        self.final = final
        self.committed = transaction.offsets
        self._observer.committed(task, transaction, time.monotonic() - began)

    async def _sleep(self, seconds: float) -> None:
        """Sleeps for the time given, or until woken."""
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return
        finally:
            if not self._stopping:
                self._wake.clear()


def _let_go(error: BaseException) -> None:
    """Drops the tracebacks of an error and of its causes, whose frames hold the old state."""
    cause: BaseException | None = error
    while cause is not None and cause.__traceback__ is not None:
        cause.__traceback__ = None
        cause = cause.__cause__ or cause.__context__
