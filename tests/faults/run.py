"""One run: its workers, its stream, its faults, its end and its verdict."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from tests.connected.marketplace import OUTPUTS, THREE
from tests.faults.feeding import Feed
from tests.faults.plan import TOLD, Member, Plan
from tests.faults.stream import FOLDER, Stream, stream
from tests.faults.verdict import Verdict, judge
from tests.faults.workers import Worker
from tests.kafka_broker.cluster import Cluster

#: Seconds without any progress, though nothing is broken any more, that make a run one that stands still.
STANDSTILL = 120.0
#: What a worker may end with, whatever is done to it: brokers that do not answer, and clocks that go back.
_ALWAYS = ("no broker has answered", "the broker cannot be used")


class FailedRun(Exception):
    """The run has gone wrong; the message says how."""


class Run:
    """What faults are done to. `happened` counts the faults that have taken hold."""

    def __init__(self, cluster: Cluster, plan: Plan, name: str) -> None:
        self.plan = plan
        self.cluster = cluster
        self.prefix = f"{name}-"
        self.app = f"{name}-app"
        self.folder = FOLDER / "runs" / name
        self.happened: Counter[str] = Counter()
        self.restarts: Counter[str] = Counter()
        self.stream: Stream = stream(plan.stream)
        self.feed = Feed(cluster.bootstrap, self.stream.events, self.prefix, self.app)
        #: What a worker's last line may hold where it ends with status 2, for what has been done to it.
        self.excuses: set[str] = {*_ALWAYS}
        #: The workers that have ended with status 2 since the last fault began.
        self.refused: set[int] = set()
        self._began = time.monotonic()
        self._later: set[asyncio.Task[None]] = set()
        self._failure: str | None = None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "plan").write_text("".join(f"{line}\n" for line in plan.lines()))
        self.workers = [self.worker(number, member) for number, member in enumerate(plan.members)]

    def worker(self, number: int, member: Member) -> Worker:
        """A worker of this run, not started yet."""
        arguments = (
            "worker", "--broker", f"kafka://{self.cluster.proxied}", "--app-id", self.app,
            "--topic-prefix", self.prefix, "--clock", "stream", "--policy", str(self.stream.policy),
            "--commit-interval", "0.2", "--session-timeout", str(self.plan.session),
            "--fetch-records", str(self.plan.fetch), "--standbys", str(self.plan.standbys), "--start-patience", "60",
            "--guarantee", "exactly_once" if self.plan.once else "at_least_once",
        )  # fmt: skip
        return Worker(number, member, self.folder, arguments, lambda status, line: self._ended(number, status, line))

    # -- for faults

    def tell(self, what: str) -> None:
        """Writes down what happens, and when."""
        with (self.folder / "course").open("a") as course:
            seconds, feed = time.monotonic() - self._began, self.feed
            course.write(f"{seconds:7.2f} s, {feed.read} of {feed.written} events read: {what}\n")

    def later(self, seconds: float, work: Callable[[], Awaitable[None] | None]) -> None:
        """Does something after a while; nothing that comes then need wait for it."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            if (doing := work()) is not None:
                await doing

        task = asyncio.create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def until_read(self, events: int) -> None:
        """Waits until this many events have been read. Raises `FailedRun` where nothing goes on."""
        read, since = self.feed.read, time.monotonic()
        while self.feed.read < min(events, len(self.feed.events)):
            if self._failure is not None:
                raise FailedRun(self._failure)
            if self.feed.read > read or self._later:
                read, since = self.feed.read, time.monotonic()
            elif time.monotonic() - since > STANDSTILL:
                raise FailedRun(f"nothing has been read for {STANDSTILL:.0f} s, {read} of {self.feed.written} written")
            await asyncio.sleep(0.05)

    def _ended(self, number: int, status: int, line: str) -> None:
        told = f"worker {number} ended with {status}: {line}"
        self.tell(told)
        self.restarts[str(status)] += 1
        if status == 2:
            self.refused.add(number)
        # A process that is ending already is ended by the signal that sets its clocks back.
        if status not in (-signal.SIGKILL, -signal.SIGUSR2, 3) and not any(excuse in line for excuse in self.excuses):
            self._failure = told

    # -- its course

    async def go(self, do: Callable[[Run, str, Random], Awaitable[bool]]) -> Verdict:
        """Runs it, and judges. `do` does a fault, and says whether it took hold. Raises `FailedRun`."""
        topics = {**THREE, **OUTPUTS}
        await self.cluster.create_topics({self.prefix + topic: count for topic, count in topics.items()})
        writing = asyncio.create_task(self.feed.write())
        following = asyncio.create_task(self.feed.follow())
        try:
            async with asyncio.timeout(STANDSTILL):
                await self.feed.begun.wait()
            for worker in self.workers:
                if worker.member.point is not None:
                    worker.arm(worker.member.point, signal.SIGKILL)
                await worker.start()
            for fault in self.plan.faults:
                await self.until_read(round(fault.at * len(self.feed.events)))
                if fault.kind in TOLD:
                    await self._whole()
                self.tell(f"{fault.kind} begins")
                self.refused.clear()
                if await do(self, fault.kind, Random(fault.seed)):
                    self.happened[fault.kind] += 1
                    self.tell(f"{fault.kind} is done")
                else:
                    self.tell(f"{fault.kind} took no hold")
            if self.plan.ends == "well":
                await self._finish(writing)
            else:
                await self._all_ended()
            whole, once = self.plan.ends == "well", self.plan.once
            return await judge(self.cluster, self.stream, self.prefix, self.feed.dead, whole=whole, once=once)
        finally:
            writing.cancel()
            following.cancel()
            for later in [*self._later]:
                later.cancel()
            await asyncio.wait([writing, following, *self._later])
            for worker in self.workers:
                await worker.remove()
            await self.cluster.heal()

    async def _finish(self, writing: asyncio.Task[None]) -> None:
        """Lets all be read and settled, to the end of all time."""
        await self._whole()
        for worker in self.workers:
            worker.disarm()
            worker.slow = 0.0
            await worker.start()
        await self.until_read(len(self.feed.events))
        await writing
        self.tell("all is read")
        # Before it has read its code, a signal ends a process as it ends any.
        await asyncio.gather(*(worker.listens(60) for worker in self.workers))
        for worker, status in zip(
            self.workers, await asyncio.gather(*(worker.stop() for worker in self.workers)), strict=True
        ):
            if status:
                raise FailedRun(f"worker {worker.number}, told to stop, ended with {status}")
        await self.cluster.expel(self.app)
        self.tell("the last lives begin")
        async with asyncio.timeout(STANDSTILL * 2):
            ends = await asyncio.gather(*(worker.to_the_end(self.stream.until) for worker in self.workers[:2]))
        if any(ends):
            raise FailedRun(f"the last lives of workers end with {ends}")
        self.tell("the end")

    async def _whole(self) -> None:
        """Waits until all that was broken is as it was."""
        while self._later:
            await asyncio.wait([*self._later])
        await self.cluster.heal()

    async def _all_ended(self) -> None:
        """Waits until every worker has ended with its excuse, and none goes on."""
        async with asyncio.timeout(STANDSTILL):
            while len(self.refused) < len(self.workers):
                if self._failure is not None:
                    raise FailedRun(self._failure)
                await asyncio.sleep(0.05)
        for worker in self.workers:
            await worker.kill()
        await self.cluster.heal()


def clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
