"""One seed from its beginning to its verdict: workers, producers, forgetting, and what goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any

from schemas.topics import TABLES
from streams.engine.clock import Clock, system_now
from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Log, TopicPartition
from streams.engine.partitioner import partition_for
from streams.engine.runtime import Cadence, TaskRuntime
from streams.engine.store.memory import MemoryStore
from streams.engine.store.warm import WarmStore
from streams.forget.orders import Wanted
from streams.forget.run import Request, take_out
from streams.forget.state import Progress, State, topology_of
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.task_context import Setting
from streams.worker import group
from streams.worker.metrics import Metrics
from streams.worker.service import serve
from tests.simulation import pump, virtual_time
from tests.simulation.broker import Broker
from tests.simulation.client import SimulatedLog
from tests.simulation.loop import Process, SimulatedLoop, Stuck
from tests.simulation.network import Link, Trap, Weather
from tests.simulation.plan import KINDS, Plan, plan_of
from tests.simulation.stream import FORGOTTEN, Stream, make, policy
from tests.simulation.verdict import Verdict, judge

APP = "app"
INPUTS = ("orders", "chats", "logistics-scans")
#: Steps by the thousand would be spent on this wait alone.
group._BUSY_WAIT = 0.05
#: Virtual seconds behind the last fault within which everything must have come to its end, and steps of a whole seed.
PATIENCE = 240.0
STEPS = 600_000


class World:
    """All processes of a seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.plan: Plan = plan_of(self.random)
        self.counts = {"orders": self.plan.orders, "chats": self.plan.orders, "logistics-scans": self.plan.scans}
        begun = self.counts if self.plan.writing else {}
        self.stream: Stream = make(self.random, forgetting="forget" in self.plan.faults, begun=begun)
        self.loop = SimulatedLoop(Random(self.random.random()), self.plan.shuffle, STEPS)
        self.broker = Broker(self.loop, Random(self.random.random()), self.plan.transaction, self.plan.lag)
        self.weather = Weather(self.plan.latency)
        self.links: dict[str, Link] = {}
        self.workers: dict[str, _Worker] = {}
        self.errors: list[str] = []
        self.happened: dict[str, int] = {}
        self.dead: set[tuple[str, int, int]] = set()
        self.clock = Clock.end(self.stream.until)
        self.calm = False
        self.flow = dataflow(policy())
        self._wind = Random(self.random.random())
        self._skew = 0.0

    # -- clocks

    def measured(self) -> float:
        """What work is timed by: some takes long, though no time passes for anybody else."""
        if self._wind.random() < self.plan.slow:
            self._skew += self._wind.choice((0.02, 0.06, 0.3))
        return self.loop.time() + self._skew

    # -- the whole of it

    def run(self) -> Verdict:
        heard = io.StringIO()
        pump.faust = self.plan.faust
        with virtual_time.virtual(self.loop.time, self.measured), contextlib.redirect_stderr(heard):
            try:
                main = self.loop.create_task(self._main(), context=self.loop.outside)
                try:
                    self.loop.run_until_complete(main)
                except Stuck as error:
                    self.errors.append(f"{error}; {self._where()}")
            finally:
                self.loop.dispose()
                self.loop.close()
        if heard.getvalue().strip():
            self.errors.append(f"on standard error: {heard.getvalue().strip()}")
        return judge(self)

    def _where(self) -> str:
        return ", ".join(f"{each.name}: {'ended' if each.ended else 'runs'}" for each in self.workers.values())

    async def _main(self) -> None:
        plan = self.plan
        for topic, partitions in self.counts.items():
            self.broker.make(topic, partitions)
            self.broker.make(f"{topic}.dlq", 1)
        for topic in (*TABLES, "alerts.merchant", "alerts.platform"):
            self.broker.make(topic, plan.outputs)
        writing = asyncio.create_task(self._write())
        if plan.writing:
            # As long as something is written, only events move time.
            self.clock = Clock.stream()
            await asyncio.sleep(0)
        else:
            await writing
        for number in range(plan.workers):
            self.start(f"w{number}")
        faults = asyncio.create_task(self._faults())
        await asyncio.wait([writing, faults])
        faults.result()
        if plan.writing:
            # All of a group have one clock: to another, it is stopped as a whole.
            while not all(each.ended for each in self.workers.values()):
                for worker in self.workers.values():
                    worker.stop.set()
                await asyncio.sleep(0.05)
            self.clock = Clock.end(self.stream.until)
            for worker in self.workers.values():
                if not worker.gone:
                    worker.ended = False
                    worker.start()
        self.calm = True
        self.weather.lost_requests = self.weather.lost_answers = 0.0
        self.weather.up = True
        for each in self.links.values():
            each.cut, each.trap, each.process.fuse = False, None, None
        try:
            async with asyncio.timeout(PATIENCE):
                while not all(each.ended for each in self.workers.values()):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
                if "forget" in plan.faults:
                    await self._forgotten()
                await asyncio.sleep(plan.lag + 1)
        except TimeoutError:
            self.errors.append(f"not at the end {PATIENCE:.0f} s behind the last fault: {self._where()}")

    async def _write(self) -> None:
        """The producers."""
        plan, records = self.plan, self.stream.records
        for number, record in enumerate(records):
            if plan.writing and number >= self.stream.early:
                await asyncio.sleep(self.random.random() * 2 * plan.writing * plan.duration / len(records))
            source, offset = self.broker.append(record.topic, record.key, record.value)
            if not record.valid:
                self.dead.add((*source, offset))

    # -- processes

    def link(self, process: Process) -> Link:
        link = Link(self.loop, Random(self.random.random()), self.weather, process, self.plan.request)
        self.links[process.name] = link
        return link

    def log(self, link: Link) -> Log:
        return SimulatedLog(self.broker, link, self.plan.session, self.plan.transaction)

    def start(self, name: str) -> None:
        self.workers[name] = _Worker(self, name)

    def count(self, fault: str) -> None:
        self.happened[fault] = self.happened.get(fault, 0) + 1
        self.loop.note(fault)

    def _some(self) -> _Worker | None:
        running = [each for each in self.workers.values() if each.process.alive and not each.ended]
        return self.random.choice(running) if running else None

    # -- faults

    async def _faults(self) -> None:
        plan, rng = self.plan, self.random
        wanted = sorted(plan.faults)
        if "loss" in wanted:
            self.weather.lost_requests, self.weather.lost_answers = rng.choice(((0.01, 0.0), (0.0, 0.01), (0.02, 0.02)))
            self.count("loss")
        while self.loop.time() < plan.duration:
            await asyncio.sleep(rng.expovariate(1 / plan.pause))
            if not wanted or (worker := self._some()) is None:
                continue
            fault = rng.choice(wanted)
            await self._fault(fault, worker)
        self.weather.up = True

    async def _fault(self, fault: str, worker: _Worker) -> None:
        rng, process, link = self.random, worker.process, worker.link
        seconds = rng.choice((0.1, 0.5, 1.5)) * self.plan.session
        if fault == "kill":
            process.fuse = rng.randrange(1, 60)
        elif fault in ("kill_at", "stop_at"):

            def spring(trapped: Process) -> None:
                self.count(fault)
                if fault == "kill_at":
                    trapped.kill()
                else:
                    self._stop(trapped, seconds)

            link.trap = Trap(rng.choice(KINDS), rng.random() < 0.5, spring)
            return
        elif fault == "stop":
            self._stop(process, seconds)
        elif fault == "cut":
            link.cut = True
            self.loop.later(seconds, setattr, link, "cut", False)
        elif fault == "outage":
            self.weather.up = False
            await asyncio.sleep(seconds)
            self.weather.up = True
        elif fault == "restart":
            self.loop.create_task(worker.restart())
        elif fault == "come" and len(self.workers) < 4:
            self.start(f"w{len(self.workers)}")
        elif fault == "go" and sum(not each.gone for each in self.workers.values()) > 1 and not worker.gone:
            self.loop.create_task(worker.go())
        elif fault == "rejoin" and worker.log.member is not None:
            worker.log.member.rejoin()
        elif fault == "forget":
            self._forget()
        elif fault == "compact":
            for kind, count in (("orders", self.plan.orders), ("shipments", self.plan.scans)):
                for partition in range(count):
                    self.compact(f"{APP}-{kind}-changelog", partition)
        else:
            return
        self.count(fault)

    def compact(self, topic: str, partition: int) -> None:
        with contextlib.suppress(LogError):
            changelog = self.broker.partition(TopicPartition(topic, partition))
            changelog.compact(changelog.end - self.random.randrange(20))

    def _stop(self, process: Process, seconds: float) -> None:
        process.stopped = True
        self.loop.later(seconds, self.loop.proceed, process)

    # -- forgetting

    def _forget(self) -> None:
        process = Process(f"forget-{self.loop.steps}")
        if self.random.random() < 0.3:
            process.fuse = self.random.randrange(1, 200)
        self.loop.spawn(process, self._forgetting(self.link(process)))

    async def _forgetting(self, link: Link) -> None:
        try:
            await self._take_out(link)
        except LogError:
            return  # whoever asked for it asks again
        except FatalError as error:
            if "does not exist" not in str(error):
                self.errors.append(f"forget: {error}")
        except Exception as error:
            self.errors.append(f"forget: {error!r}")

    async def _take_out(self, link: Link) -> State:
        log = self.log(link)
        await log.start()
        topology = await topology_of(APP, self.flow, log)
        request = Request(APP, Wanted(order=FORGOTTEN), FORGOTTEN, dry_run=False)
        await take_out(log, topology, policy(), request, _no_bar)
        return State(log, topology, policy())

    async def _forgotten(self) -> None:
        """Once more, when all is read: nothing of the order may be left."""
        while not await self._is_forgotten():  # noqa: ASYNC110
            await asyncio.sleep(self.plan.request)

    async def _is_forgotten(self) -> bool:
        process = Process("forget")
        try:
            state = await self.loop.spawn(process, self._take_out(self.link(process)))
            held = await self.loop.spawn(process, state.look(Wanted(order=FORGOTTEN), lambda _: None))
        except LogError:
            return False  # as long as a transaction of somebody who was killed is open
        if not held.is_empty:
            self.errors.append(f"not forgotten: {held.names} {held.parcels}")
        return True


class _Worker:
    """A worker by its name, whose processes follow each other."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.ended = False
        self._starts = 0
        self.gone = False
        self.start()

    def start(self) -> None:
        world, plan = self.world, self.world.plan
        self._starts += 1
        self.process = Process(f"{self.name}.{self._starts}")
        self.process.on_kill = self._killed
        self.link = world.link(self.process)
        self.log = world.log(self.link)
        self.stop = asyncio.Event()
        self.told_to_stop = False
        clock = world.clock
        runtime = TaskRuntime(
            log=self.log,
            clock=clock,
            store=WarmStore() if plan.standbys else MemoryStore(),
            now=system_now,
            cadence=Cadence(
                seconds=plan.commit,
                events=plan.events,
                at_once=plan.at_once,
                direct=plan.direct,
                first_wait=0.05,
                longest_wait=0.5,
                fenced_wait=plan.fenced_wait,
            ),
            once=clock.until is not None,
            standbys=plan.standbys,
            fetch_records=plan.fetch,
            revoke_seconds=plan.session / 2,
            trim_seconds=plan.trim,
            rebuild_seconds=4.0,
        )
        setting = Setting(policy(), plan.orders, plan.scans, partition_for, lambda: 0)
        running = serve(
            runtime, APP, world.flow, lambda _: partial(processor, setting), stop=self.stop, metrics=Metrics(),
            start_patience=60.0,
        )  # fmt: skip
        self.task = world.loop.spawn(self.process, running)
        process = self.process
        self.task.add_done_callback(lambda done: self._over(process, done), context=world.loop.outside)

    def _over(self, process: Process, done: asyncio.Task[int]) -> None:
        if process is not self.process or not process.alive:
            return
        error = None if done.cancelled() else done.exception()
        if error is not None:
            self.world.errors.append(f"{process.name}: {error!r}")
        elif done.result() != 0:
            self.world.errors.append(f"{process.name} ends with {done.result()}")
        self.ended = True

    def _killed(self) -> None:
        self.world.count("killed")
        if not self.gone:
            delay = self.world.random.choice((0.0, 0.3, 3.0))
            self.world.loop.later(delay, self._start_again, self.process)
        else:
            self.ended = True

    def _start_again(self, killed: Process) -> None:
        if self.process is killed:
            self.start()

    async def restart(self) -> None:
        """Stops it as SIGTERM does, waits for its end and starts it again."""
        process = self.process
        if self.ended and self.world.clock.until is not None and self.world.calm:
            return
        self.stop.set()
        while not self.ended and process is self.process and process.alive:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if process is self.process and process.alive and not self.gone:
            self.ended = False
            self.start()

    async def go(self) -> None:
        """Stops it for good."""
        self.gone = True
        self.stop.set()


@contextlib.contextmanager
def _no_bar(total: int) -> Iterator[Progress]:
    del total
    yield lambda _: None


def simulate(seed: int) -> tuple[World, Verdict]:
    """Runs a seed."""
    world: Any = World(seed)
    return world, world.run()
