"""The tasks of one worker: its assignment, its fetches, and whether the whole group is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from streams.engine.announcements import Announcements
from streams.engine.assignor import TaskAssignor
from streams.engine.clock import Mode
from streams.engine.collector import free_given_up
from streams.engine.errors import FatalError, LogError, LostMemberError, OutOfRangeError
from streams.engine.log.interface import Fetched, Member, TopicPartition
from streams.engine.offset_texts import final_text
from streams.engine.open_transactions import OpenTransactions
from streams.engine.placement import Held
from streams.engine.positions import Positions
from streams.engine.runner import Factory, Kept, Runner
from streams.engine.runtime import TaskRuntime
from streams.engine.standby import Standbys
from streams.engine.task import Task
from streams.engine.topic_check import TopicCheck
from streams.engine.topology import TaskId, Topology, grown
from streams.transport.batches import Batch
from streams.worker.catching_up import CatchingUp
from streams.worker.health import Health
from streams.worker.metrics import Metrics

log = structlog.get_logger(__name__)

#: Seconds between looks at the ends of the external partitions, and at what the group has finished.
_LOOK = 0.2
#: Seconds for a fetch with nothing under way; and to wait while a partition may come free at any moment.
_IDLE_FETCH, _BUSY_WAIT = 0.2, 0.01
#: Unsettled entries of a task from which on its inputs wait for each other.
_UNSETTLED = 200_000
#: Batches of one partition that may be under way at once: one is taken while the next is fetched.
_AHEAD = 2


class TaskGroup:
    """What one worker has of a consumer group's tasks; the source of its Faust agents' batches.

    `failed` becomes the error that ends the worker. `done` is set once, with `Clock.end`, every task of the
    whole group is final and committed: to leave earlier would make the others take over what is finished.
    """

    def __init__(
        self, runtime: TaskRuntime, topology: Topology, factory: Factory, metrics: Metrics, health: Health
    ) -> None:
        self.member: Member | None = None
        #: When brokers told the ends of the inputs last, by the monotonic clock, and these ends.
        self.told_at = 0.0
        self.ends: Mapping[TopicPartition, int] = {}
        #: Whether something has met an error that may be for want of a right, or needs a new member of the group.
        self.doubtful = self.lost = False
        #: Held while the worker leaves the group: whoever stops what makes it leave waits for that.
        self.leaving = asyncio.Lock()
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.done = asyncio.Event()
        self._runtime = runtime
        self._log = runtime.log
        self._topology = topology
        self._factory = factory
        self._metrics = metrics
        self._health = health
        self._next_trim = time.monotonic() + runtime.trim_seconds
        self._trimmed: dict[TopicPartition, int] = {}
        self._positions = Positions(runtime.log, runtime.on_lost, metrics.lost)
        self._turns = asyncio.Semaphore(runtime.cadence.at_once)
        self._announcements = Announcements(runtime.cadence.prompt)
        self._topic_check = TopicCheck(topology, runtime.log, self._positions)
        self._open_transactions = OpenTransactions(runtime.log, metrics.held_up)
        self._catching_up = CatchingUp(runtime, topology, _UNSETTLED)
        self._topics: Sequence[str] = ()
        self._subscribed = asyncio.Event()
        #: How often the group was left: an assignment of before is of no use.
        self._departures = 0
        self._assignor = TaskAssignor(topology, self._held)
        self._standbys = Standbys(topology, runtime.log, runtime.store, metrics, self._restoring, self._rejoin)
        #: What a former process has left on disk, by task the offset up to which it is known.
        self._left: dict[TaskId, int] = {}
        #: What the last revocation took, with the ends of the changelogs of those that are kept.
        self._had: dict[TaskId, int] = {}
        self._tell: Callable[[frozenset[TopicPartition]], Awaitable[None]] | None = None
        self._assigned = asyncio.Event()
        self._runners: dict[TaskId, Runner] = {}
        self._lives: dict[TaskId, asyncio.Task[None]] = {}
        self._kept: dict[TaskId, Kept] = {}
        self._given_up = False
        self._owner: dict[TopicPartition, Runner] = {}
        self._flying: dict[TopicPartition, int] = {}
        self._freed = asyncio.Event()
        self._closed = False
        metrics.watch(lambda: self.tasks)
        metrics.catching_up(self._catching_up.behind)
        self._look: asyncio.Task[None] | None = None

    # -- the group

    async def subscribe(
        self, topics: Sequence[str], assigned: Callable[[frozenset[TopicPartition]], Awaitable[None]]
    ) -> None:
        if self._is_closed():
            return
        self._tell = assigned
        self._left = await asyncio.to_thread(self._runtime.store.known)
        if self._is_closed():
            return
        self._topics = topics
        self._subscribed.set()

    async def join(self) -> None:
        """Becomes a member, once there are agents to read for. Raises `LogError`."""
        await self._subscribed.wait()
        self.member = await self._log.join(self._topology.app_id, self._topics, self, self._assignor)
        self._look = asyncio.create_task(self._looking())

    async def leave(self, seconds: float) -> None:
        """Gives up all tasks, which get `seconds` to commit, and leaves the group. Never raises."""
        async with self.leaving:
            self._departures += 1
            self.lost = False
            member, self.member = self.member, None
            look, self._look = self._look, None
            if look is not None:
                look.cancel()
                await asyncio.wait([look])
            self._assigned.clear()
            self._health.wrong("starting", "it has not joined the group yet")
            self._health.well("fetching")
            self._health.well("looking")
            await self._revoke(frozenset(self._owner), seconds)
            if member is not None:
                await member.close()

    async def on_assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Takes over the tasks whose inputs are all assigned; they restore while the group goes on."""
        if self._closed:
            return
        departures = self._departures
        if self._tell is not None:
            try:
                await self._tell(partitions)
            except Exception as error:
                self.fail(error)
                return
        known = self._topology.tasks()
        whole = [task for task in known if self._topology.partitions_of(task) <= partitions]
        every = frozenset[TopicPartition]().union(*map(self._topology.partitions_of, known))
        if left := partitions - every:
            topic, partition = sorted(left)[-1]
            needed = sum(source.topic == topic for source in every)
            self.fail(FatalError(grown(topic, partition + 1, needed)))
            return
        if left := partitions.difference(*map(self._topology.partitions_of, whole)):
            # Another topic of the same tasks is gone: whether for good, the look at all topics tells.
            log.warning("partitions wait for others", partitions=[f"{each.topic}-{each.partition}" for each in left])
        self._metrics.rebalanced()
        log.info("assigned", tasks=[str(task) for task in whole])
        await self._standbys.hold(self._assignor.standbys, self._assignor.warming, whole)
        if self._is_closed() or departures != self._departures:
            return  # meanwhile
        if whole:
            self._health.wrong("tasks", f"{len(whole)} tasks are being restored")
        for task in whole:
            runner = Runner(
                self._runtime,
                self._topology,
                task,
                self._factory,
                self._seek,
                self._metrics,
                self._kept.get(task),
                self._positions,
                self._turns,
                self._announcements,
            )
            self._runners[task] = runner
            self._owner.update(dict.fromkeys(runner.sources, runner))
            life = asyncio.create_task(runner.run(), name=f"task {task}")
            life.add_done_callback(self._ended)
            self._lives[task] = life
        self._had.clear()
        self._left.clear()
        self._kept.clear()  # what is another worker's now would never be of use again
        if self._given_up:
            # State that is in cycles would stay: so large a process lets the collector run hardly ever.
            self._given_up = False
            free_given_up()
        self._assigned.set()

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        """Commits what it can in time; the rest is dropped, and the next owner processes it again."""
        await self._revoke(partitions, self._runtime.revoke_seconds)

    async def _revoke(self, partitions: frozenset[TopicPartition], seconds: float) -> None:
        lost = [task for task, runner in self._runners.items() if runner.sources & partitions]
        lives = [self._lives.pop(task) for task in lost]
        runners = [self._runners[task] for task in lost]
        for task in lost:
            runner = self._runners.pop(task)
            runner.stop()
            for source in runner.sources:
                self._owner.pop(source, None)
        if not lives:
            return
        self._given_up = True
        _, late = await asyncio.wait(lives, timeout=seconds)
        for life in late:
            life.cancel()
        await asyncio.wait(lives)
        for task in lost:
            self._metrics.forget(task)
        self._kept = {runner.id: runner.kept for runner in runners if runner.kept is not None}
        self._had = {task: self._kept[task].end if task in self._kept else -1 for task in lost}
        log.info("revoked", tasks=[str(task) for task in lost], thrown_away=len(late))

    def _held(self) -> Held:
        """What this worker tells the group whenever it joins."""
        followed = self._standbys.held
        known = {task: max(followed.get(task, -1), self._left.get(task, -1)) for task in followed | self._left}
        return Held(self._had, known, self._runtime.standbys)

    def _restoring(self) -> bool:
        return len(self.tasks) < len(self._runners)

    def _rejoin(self) -> None:
        if self.member is not None:
            self.member.rejoin()

    def _seek(self, source: TopicPartition, offset: int, epoch: int) -> None:
        if self.member is not None:
            self.member.seek(source, offset, epoch)

    def _ended(self, life: asyncio.Task[None]) -> None:
        if not life.cancelled() and (error := life.exception()) is not None:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """Ends the worker."""
        if not self.failed.done():
            self.failed.set_exception(error)

    def _is_closed(self) -> bool:
        return self._closed

    async def close(self) -> None:
        """Commits all tasks and leaves the group. Never raises."""
        self._closed = True
        await self.leave(self._runtime.revoke_seconds)
        await self._standbys.close()
        self._announcements.close()
        if self.failed.done():
            self.failed.exception()  # it has been looked at

    # -- batches

    async def next(self) -> Sequence[Batch]:
        """Fetches batches of partitions that have few in flight."""
        ahead = self._ahead()
        free = [
            source
            for source, runner in self._owner.items()
            if runner.task is not None and self._flying.get(source, 0) < _AHEAD and source not in ahead
        ]
        fetched: Sequence[Fetched] = ()
        if free and self.member is not None:
            try:
                seconds = 0.0 if self._flying else _IDLE_FETCH
                fetched = await self.member.fetch(free, self._runtime.fetch_records, seconds)
                self._health.well("fetching")
            except OutOfRangeError as error:
                for source in error.sources:
                    if (owner := self._owner.get(TopicPartition(*source))) is not None:
                        owner.doubt(error)
            except LostMemberError as error:
                log.warning("joining again", error=str(error))
                self.lost = True
            except LogError as error:
                self._metrics.fetch_failed(error)
                self._health.wrong("fetching", str(error))
                self.doubtful = True
                await asyncio.sleep(_IDLE_FETCH)
            except FatalError as error:
                self.fail(error)
        if not fetched:
            await self._come_free()
        for each in fetched:
            self._flying[each.source] = self._flying.get(each.source, 0) + 1
        return [Batch(each) for each in fetched]

    async def accept(self, batch: Batch) -> None:
        """Called by every agent with its batches: queues them for their task."""
        source = batch.fetched.source

        def handled() -> None:
            self._flying[source] -= 1
            if not self._flying[source]:
                del self._flying[source]
            self._freed.set()

        runner = self._owner.get(source)
        if runner is None or runner.task is None:
            handled()
            return
        self._metrics.read(source.topic, len(batch.fetched.records))
        runner.put(batch.fetched, handled)

    async def _come_free(self) -> None:
        """Waits for a moment, or until a batch has been taken."""
        self._freed.clear()
        try:
            await asyncio.wait_for(self._freed.wait(), _BUSY_WAIT)
        except TimeoutError:
            return

    # -- ends of partitions, end of the group

    @property
    def tasks(self) -> list[Task]:
        """The tasks that are running now."""
        return [task for runner in self._runners.values() if (task := runner.task) is not None]

    @property
    def runners(self) -> list[Runner]:
        """All tasks of the worker, including those being restored."""
        return [*self._runners.values()]

    @property
    def waits(self) -> dict[TopicPartition, str]:
        """Why partitions are not read to their ends, in words, where it is not for the worker to mend."""
        return dict.fromkeys(self._ahead(), "it is ahead of others and waits for them") | self._open_transactions.held

    def _ahead(self) -> set[TopicPartition]:
        """The partitions that are not read on while others are behind them."""
        return {TopicPartition(topic, task.id.partition) for task in self.tasks for topic in task.ahead(_UNSETTLED)}

    @property
    def standbys(self) -> dict[TaskId, int]:
        """The tasks that it follows, with the changelog offsets left to read; -1 while that is not known."""
        return self._standbys.left

    @property
    def assigned(self) -> bool:
        """Whether the group has given the worker its assignment, which may be empty."""
        return self._assigned.is_set()

    async def _looking(self) -> None:
        while True:
            try:
                await self._topic_check.look([*self._runners.values()])
                await self._look_at_ends()
                await self._catching_up.look(self.tasks)
                self._metrics.catching_up(self._catching_up.behind)
                self._metrics.sample(self.tasks)
                if time.monotonic() > self._next_trim:
                    self._next_trim = time.monotonic() + self._runtime.trim_seconds
                    await self._trim()
                if self._runtime.clock.mode is Mode.END and await self._group_is_final():
                    self.done.set()
                self._health.well("looking")
            except LogError as error:
                self.doubtful = True
                self._health.wrong("looking", str(error))
            except Exception as error:
                self.fail(error)
                return
            await asyncio.sleep(_LOOK)

    async def _trim(self) -> None:
        """Deletes edge records that this worker's tasks have read and committed."""
        edges = {self._topology.edge_topic(edge.name) for edge in self._topology.dataflow.edges}
        read = {
            source: committed.offset
            for runner in self._runners.values()
            for source, committed in runner.committed.items()
            if source.topic in edges and committed.offset > self._trimmed.get(source, 0)
        }
        if read:
            await self._log.trim(read)
            self._trimmed.update(read)

    async def _look_at_ends(self) -> None:
        inputs = {
            TopicPartition(topic, task.id.partition): item
            for task in self.tasks
            for topic, item in task.external.items()
        }
        if not inputs:
            return
        requested = self._runtime.now()
        external = {source: item.position for source, item in inputs.items()}
        ends = await self._log.end_offsets(external)
        self.told_at, self.ends = time.monotonic(), ends
        for source, position in external.items():
            self._metrics.lag(source, max(ends[source] - position, 0), requested, inputs[source].clock.greatest)
        for runner in self._runners.values():
            runner.at_end(requested, ends)
        await self._open_transactions.look(external, ends)

    async def _group_is_final(self) -> bool:
        if not self._assigned.is_set() or not all(runner.final for runner in self._runners.values()):
            return False
        markers = [self._topology.marker(task) for task in self._topology.tasks()]
        committed = await self._log.committed(self._topology.app_id, markers)
        wanted = final_text(self._runtime.clock)
        return len(committed) == len(markers) and all(each.metadata == wanted for each in committed.values())
