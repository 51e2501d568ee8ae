"""Watches a worker's connections and tasks: reports problems, retries, and ends the worker if need be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from streams.engine.errors import FatalError, LogError, RefusedError
from streams.engine.log.interface import Member, TopicPartition
from streams.engine.rights import Right, grants
from streams.engine.runner import Runner
from streams.engine.runtime import TaskRuntime
from streams.engine.topology import Topology, rights
from streams.worker.health import Health, Kind
from streams.worker.metrics import Metrics
from streams.worker.standstill import Standing, Standstill, Step
from streams.worker.supervisor import Supervisor

log = structlog.get_logger(__name__)

#: Seconds between looks, between signs that the event loop comes round, and between questions for rights.
_LOOK, _BEAT, _RIGHTS = 0.5, 0.2, 5.0
#: Seconds of silence behind which brokers are asked whether they are there, and for which the answer is waited.
_SILENT, _PING = 2.0, 2.0
#: Seconds for which brokers that are there may not tell the ends of partitions: one may have no leader.
_UNTOLD = 10.0
#: Seconds for which a group may be without a coordinator: it moves from one broker to another.
_COORDINATOR = 3.0
#: What explains that tasks get nowhere, and is dealt with by itself.
_EXCUSES: frozenset[Kind] = frozenset({"starting", "brokers", "group", "rights", "credentials"})
#: Seconds between attempts to join, or to find a broker: from the first to the longest.
_WAIT, _LONGEST = 0.5, 30.0


class Watched(Protocol):
    """What the watch knows of a worker's tasks."""

    #: When brokers told the ends of the inputs last, by the monotonic clock, and these ends.
    told_at: float
    ends: Mapping[TopicPartition, int]
    member: Member | None
    #: Whether something has met an error that may be for want of a right, or needs a new member of the group.
    doubtful: bool
    lost: bool

    @property
    def runners(self) -> Sequence[Runner]: ...

    @property
    def assigned(self) -> bool: ...

    @property
    def waits(self) -> Mapping[TopicPartition, str]:
        """Why partitions are not read to their ends, in words, where it is not for the worker to mend."""

    async def join(self) -> None:
        """Raises `LogError`."""

    async def leave(self, seconds: float) -> None:
        """Gives up all tasks, which get `seconds` to commit, and leaves the group. Never raises."""

    def fail(self, error: BaseException) -> None: ...


class Watch:
    """Keeps `health` true for one worker, and its group joined, until it is cancelled."""

    def __init__(
        self, runtime: TaskRuntime, topology: Topology, worker: Watched, health: Health, metrics: Metrics
    ) -> None:
        self._runtime = runtime
        self._log = runtime.log
        self._rights = rights(topology.app_id, topology.dataflow)
        self._inputs = {Right("Read", "topic", item.topic) for kind in topology.dataflow.kinds for item in kind.inputs}
        self._worker = worker
        self._health = health
        self._metrics = metrics
        self._supervisor = Supervisor()
        self._heard = time.monotonic()
        self._next_rights = 0.0
        self._failures = 0
        self._wait, self._next_try = _WAIT, 0.0
        self._coordinated = self._joined = self._heard
        self._standstill = Standstill(runtime.broker_patience)

    async def run(self) -> None:
        """Does not end by itself but where the worker has to."""
        beating = asyncio.create_task(self._beat())
        try:
            while True:
                await self._look()
                self._metrics.broker_answered(time.monotonic() - self._heard)
                await asyncio.sleep(_LOOK)
        except Exception as error:
            self._worker.fail(error)
        finally:
            beating.cancel()
            self._supervisor.ends()

    async def _beat(self) -> None:
        while True:
            self._health.beat()
            self._supervisor.alive(self._health.ready)
            await asyncio.sleep(_BEAT)

    async def _look(self) -> None:
        await self._hear()
        self._be_accepted()
        if time.monotonic() - self._heard > self._runtime.rebuild_seconds:
            await self._rebuild()
        elif await self._allowed():
            await self._belong()
        self._look_at_tasks()

    # -- brokers

    async def _hear(self) -> None:
        """Checks whether any broker answers."""
        self._heard = max(self._heard, self._worker.told_at)
        if time.monotonic() - self._heard > _SILENT:
            try:
                async with asyncio.timeout(_PING):
                    await self._log.ping()
                self._heard = time.monotonic()
            except (LogError, TimeoutError):
                silent = time.monotonic() - self._heard
                self._health.wrong("brokers", f"no broker has answered for {silent:.0f} s")
                return
        self._health.well("brokers")
        untold = time.monotonic() - max(self._worker.told_at, self._joined)
        if untold > _UNTOLD and any(runner.task is not None for runner in self._worker.runners):
            self._health.wrong("looking", f"the ends of the inputs have not been told for {untold:.0f} s")

    def _be_accepted(self) -> None:
        """Reports brokers that accept no new connection, or that are not accepted; those that there are may go on."""
        if (why := self._log.refused()) is not None:
            self._health.wrong("credentials", why)
        else:
            self._health.well("credentials")

    async def _rebuild(self) -> None:
        """Recreates all clients, from the bootstrap addresses: existing ones remember brokers that are gone.

        Raises `FatalError` (3) where nobody answers for minutes: whoever runs workers may start another one elsewhere.
        """
        silent_since = self._heard
        log.warning("no broker answers: clients are made anew", seconds=round(time.monotonic() - silent_since))
        await self._worker.leave(0.0)
        wait = _WAIT
        while True:
            await self._log.stop()
            silent = time.monotonic() - silent_since
            try:
                await self._log.start()
                break
            except (LogError, FatalError) as error:
                does = "accepted this client" if isinstance(error, RefusedError) else "answered"
                why = f"no broker has {does} for {silent:.0f} s: {error}"
                if silent > self._runtime.broker_patience:
                    self._health.give_up()
                    raise FatalError(why, 3) from error
                self._health.wrong("brokers", why)
                self._be_accepted()
            await asyncio.sleep(wait)
            wait = min(wait * 2, _LONGEST / 6)
        self._metrics.rebuilt()
        self._heard = time.monotonic()
        self._health.well("brokers")
        self._next_try = 0.0

    # -- rights

    async def _allowed(self) -> bool:
        """Whether there is nothing that may not be done. Raises `FatalError` where that is for good.

        Inputs that may not be read are waited for: what has been read is safe, and nothing is lost by it.
        """
        now = time.monotonic()
        failures = sum(runner.failures for runner in self._worker.runners)
        doubtful = self._worker.doubtful or failures > self._failures
        self._failures = failures
        if now < self._next_rights and not doubtful:
            return "rights" not in self._health.reasons
        self._worker.doubtful = False
        self._next_rights = now + (_LOOK * 2 if "rights" in self._health.reasons else _RIGHTS)
        try:
            missing = await self._log.lacking(self._rights)
        except LogError:
            return True  # whoever does not answer has been heard of already
        self._metrics.missing_rights(len(missing))
        if not missing:
            self._health.well("rights")
            return True
        told = grants(missing, self._log.user)
        if not self._inputs.issuperset(missing):
            raise FatalError(told)
        self._health.wrong("rights", told)
        if self._worker.member is not None:
            await self._worker.leave(self._runtime.revoke_seconds)
            self._next_try = 0.0
        self._next_rights = now + _LOOK * 2
        return False

    # -- the group

    async def _belong(self) -> None:
        """Joins the group if the worker is not a member, and lets a member that met an error try again."""
        now = time.monotonic()
        worker = self._worker
        if now < self._next_try:
            return
        try:
            if worker.lost or worker.member is None:
                await worker.leave(self._runtime.revoke_seconds)
                await worker.join()
                self._coordinated = self._joined = time.monotonic()
            elif worker.member is not None:
                worker.member.check()
        except LogError as error:
            self._health.wrong("group", str(error))
            self._next_try, self._wait = now + self._wait, min(self._wait * 2, _LONGEST)
            worker.doubtful = True
            return
        if worker.member is not None and worker.member.coordinated:
            self._coordinated = now
            self._wait = _WAIT
            self._health.well("group")
        elif now - self._coordinated > _COORDINATOR:
            self._health.wrong("group", f"the group has had no coordinator for {now - self._coordinated:.0f} s")

    # -- tasks

    def _look_at_tasks(self) -> None:
        """Checks that the worker has its assignment, that all of it runs, and that each task makes progress."""
        now = time.monotonic()
        if self._worker.assigned:
            self._health.well("starting")
            restoring = sum(runner.task is None for runner in self._worker.runners)
            if restoring:
                self._health.wrong("tasks", f"{restoring} of {len(self._worker.runners)} tasks are being restored")
            else:
                self._health.well("tasks")
        waits = self._worker.waits
        excused = bool(self._health.reasons.keys() & _EXCUSES)
        standing = self._standstill.look(now, self._worker.runners, self._worker.ends, waits, excused=excused)
        self._metrics.standstill(self._standstill.longest)
        if standing:
            told = "; ".join(f"{each.task} {each.why} for {each.seconds:.0f} s" for each in standing)
            self._health.wrong("standstill", told)
        else:
            self._health.well("standstill")
        for each in standing:
            self._start_again(each)

    def _start_again(self, standing: Standing) -> None:
        """Raises `FatalError` (3) where neither the task nor a new membership has helped."""
        if standing.step is None:
            return
        why = f"{standing.task} {standing.why} for {standing.seconds:.0f} s"
        if standing.step is Step.PROCESS:
            self._health.give_up()
            raise FatalError(f"{why}, and to start it again did not help: a new process may", 3)
        log.warning("a task that stands still is started again", why=why, step=standing.step.value)
        self._metrics.started_again(standing.step.value)
        if standing.step is Step.MEMBER:
            self._worker.lost = True
            return
        for runner in self._worker.runners:
            if runner.id == standing.task:
                runner.doubt(LogError(f"{standing.task} {standing.why}"))
