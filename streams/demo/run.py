"""The demonstration: the real agents and tasks on a log in memory, a marketplace in fast motion, a person watching."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import msgspec

from schemas.outputs import HelpRates
from schemas.topics import ALERTS, OUTPUTS
from streams.cli.ending import when_told_to_end
from streams.console.inputs import memory_inputs
from streams.console.reader import MemoryReader
from streams.console.server import Settings as Console
from streams.console.server import in_thread
from streams.demo.closing import Narrator, Outcome, days_of
from streams.demo.console import AlertConsole
from streams.demo.motion import Motion
from streams.demo.selection import Selection
from streams.demo.upkeep import Upkeep
from streams.engine.clock import Clock
from streams.engine.listening import address_of
from streams.engine.log.memory import MemoryLog
from streams.engine.partitioner import partition_for
from streams.engine.processor import Dataflow
from streams.engine.runner import Factory
from streams.engine.topology import Topology
from streams.marketplace.market import Plan, angry_shop
from streams.policy.model import Policy
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK, dataflow
from streams.stages.factory import processor
from streams.stages.intake import Counts
from streams.stages.task_context import Setting
from streams.topics.desired import inputs
from streams.worker import Embedded

APP_ID = "parcelwatch-demo"
#: Of each topic that is read: more than one, as on Kafka; the outputs have one.
PARTITIONS = 2
HELP_RATES = "help-rates"

#: Seconds between two steps of the motion, two alerts shown (more could not be followed), two lines of progress, two
#: clean-ups.
_STEP, _LOOK, _PROGRESS, _TIDY = 0.05, 0.4, 5.0, 3.0
#: Offsets of each partition of the inputs that stay for the console's timelines.
_KEPT = 20_000
#: With so many records unread, time stands still: a slow machine sees the same, only slower.
_MOST_BEHIND = 5_000


@dataclass(frozen=True, slots=True)
class Show:
    """What is played. `pace`: days a second; `seconds`: when to end, None for when the plan ends or a signal comes.

    `console`: a socket on which to serve it, or None.
    """

    plan: Plan
    policy: Policy
    pace: float
    seconds: float | None
    console: socket.socket | None = None


def play(show: Show, alerts: AlertConsole) -> int:
    """Plays it and returns the exit status. SIGINT and SIGTERM end it, with its summary."""
    return asyncio.run(_Demonstration(show, alerts).run())


class _Demonstration:
    def __init__(self, show: Show, alerts: AlertConsole) -> None:
        self._show = show
        self._alerts = alerts
        self._shop_id = angry_shop(show.plan).shop_id
        self._narrator = Narrator(alerts, show.plan, self._shop_id)
        self._selection = Selection(self._shop_id)
        self._said = Counts()
        self._help_rate: HelpRates | None = None
        log = self._log = MemoryLog()
        self._motion = Motion(show.plan, show.pace, log.append)
        flow = dataflow(show.policy)
        self._inputs = inputs(flow)
        outputs = dict.fromkeys(OUTPUTS, 1)
        counts = {kind.name: PARTITIONS for kind in flow.kinds}
        kept = _KEPT if show.console is not None else 0
        self._upkeep = Upkeep(log, Topology(APP_ID, flow, counts), outputs.items(), kept)
        self._worker = self._embedded(flow, log, {**outputs, **dict.fromkeys(self._inputs, PARTITIONS)})

    def _embedded(self, flow: Dataflow, log: MemoryLog, topics: Mapping[str, int]) -> Embedded:
        def assemble(counts: Mapping[str, int]) -> Factory:
            setting = Setting(
                self._show.policy,
                counts[ORDERS_TASK],
                counts[SHIPMENTS_TASK],
                partition_for,
                self._motion.now,
                self._said,
            )
            return partial(processor, setting)

        # The worker's wall clock is the marketplace's: silence itself raises what is due, as it does live.
        now = self._motion.now
        return Embedded(flow, assemble, clock=Clock.wall(), topics=topics, app_id=APP_ID, now=now, log=log)

    async def run(self) -> int:
        stop = asyncio.Event()
        when_told_to_end(stop.set)
        listens = self._show.console
        address = address_of(listens) if listens is not None else None
        self._narrator.opening(self._show.pace, ends_itself=self._show.seconds is not None, console=address)
        began = time.monotonic()
        with self._console():
            async with self._reading() as readers:
                async with self._worker:
                    status = await self._live(stop)
                # They end behind the worker's end, with everything that it has committed.
                await asyncio.gather(*readers)
        self._look(at_most=0)
        self._narrator.closing(self._outcome(time.monotonic() - began))
        return status

    def _console(self) -> AbstractContextManager[None]:
        listens = self._show.console
        if listens is None:
            return nullcontext()
        reader, inputs = partial(MemoryReader, self._log), memory_inputs(self._log, PARTITIONS)
        return in_thread(
            Console(reader=reader, inputs=inputs, policy=self._show.policy, language=self._alerts.language), listens
        )

    async def _live(self, stop: asyncio.Event) -> int:
        """Until the time is over, the plan has ended, a signal has come or the worker has given up; its status."""
        ended = asyncio.create_task(self._worker.finished())
        activities = [stop.wait(), self._move(), self._print(), self._clean()]
        tasks = [ended, *(asyncio.create_task(activity) for activity in activities)]
        try:
            done, _ = await asyncio.wait(tasks, timeout=self._show.seconds, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return ended.result() if ended in done else 0
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    # -- what goes on meanwhile

    async def _move(self) -> None:
        before = time.monotonic()
        while not self._motion.over:
            await asyncio.sleep(_STEP)
            now = time.monotonic()
            if await self._upkeep.behind() < _MOST_BEHIND:
                self._motion.step(min(now - before, 2 * _STEP))
            before = now

    async def _print(self) -> None:
        console = self._alerts.console
        if console.is_terminal:
            with console.status(self._progress()) as status:
                while True:
                    await asyncio.sleep(_LOOK)
                    status.update(self._progress())
                    self._look(1)
        spoken = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK)
            self._look(1)
            if time.monotonic() - spoken >= _PROGRESS:
                spoken += _PROGRESS
                console.print(f"-- {self._progress()}", markup=False)

    async def _clean(self) -> None:
        while True:
            await asyncio.sleep(_TIDY)
            await self._upkeep.tidy()

    def _look(self, at_most: int) -> None:
        for event in self._selection.take(at_most):
            self._alerts.show(event)

    def _progress(self) -> str:
        return self._narrator.progress(self._motion.now(), self._events(), self._selection.left_out)

    def _events(self) -> int:
        value = self._worker.metrics.registry.get_sample_value
        return int(sum(value("parcelwatch_records_read_total", {"topic": topic}) or 0 for topic in self._inputs))

    def _outcome(self, seconds: float) -> Outcome:
        return Outcome(
            events=self._events(),
            dead=sum(self._said.dead.values()),
            days=days_of(self._show.plan, self._motion.now()),
            seconds=seconds,
            reached_present=self._motion.over,
            help_rate=self._help_rate,
        )

    # -- what the worker puts out

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[list[asyncio.Task[None]]]:
        takers: list[tuple[str, Callable[[bytes], None]]] = [(topic, self._take_alert) for topic in ALERTS.values()]
        takers.append((HELP_RATES, self._take_help_rate))
        readers = [asyncio.create_task(self._read(topic, take)) for topic, take in takers]
        try:
            yield readers
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.wait(readers)

    async def _read(self, topic: str, take: Callable[[bytes], None]) -> None:
        async for _, record in self._worker.subscribe(topic):
            if record.value is not None:
                take(record.value)

    def _take_alert(self, value: bytes) -> None:
        event = self._alerts.count(value)
        if event is not None:
            self._selection.offer(event)

    def _take_help_rate(self, value: bytes) -> None:
        row = msgspec.json.decode(value, type=HelpRates)
        if row.shop_id == self._shop_id:
            self._help_rate = row
