"""What a worker makes of a log that falls silent, denies it something, or gives it nothing to read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from streams.engine.clock import Clock
from streams.engine.errors import LogError, RefusedError
from streams.engine.log.interface import Fetched, Member, TopicPartition, Writer
from streams.engine.log.memory import MemoryLog
from streams.engine.rights import Right
from streams.engine.runtime import Cadence, TaskRuntime
from streams.worker import standstill, watch
from streams.worker.group import TaskGroup
from streams.worker.metrics import Metrics
from streams.worker.service import serve
from tests.patience import PATIENCE
from tests.unit.engine.embedding import assemble, until
from tests.unit.engine.history import T0
from tests.unit.engine.toy import DATAFLOW, RESULTS, pack

SCANS = TopicPartition("scans", 0)


class Moody(MemoryLog):
    """A log that may be silent, or give nothing to read."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = self.dry = self.leaderless = False
        self.starts = self.joins = self.takeovers = 0
        #: Something to read comes with this number of memberships, or of takeovers, at the earliest.
        self.wet_by_joins = self.wet_by_takeovers = 1000
        for topic in ("orders", "calls", "scans", RESULTS):
            self.make(topic, 1)

    def answer(self) -> None:
        if self.silent:
            raise LogError("no broker answers")

    async def start(self) -> None:
        self.starts += 1
        if self.refusal is not None:
            raise RefusedError(self.refusal)
        self.answer()

    async def ping(self) -> None:
        self.answer()

    async def end_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        self.answer()
        while self.leaderless:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return await super().end_offsets(sources)

    async def join(self, *arguments: Any) -> Member:
        self.joins += 1
        return await super().join(*arguments)

    async def writer(self, *arguments: Any) -> Writer:
        self.takeovers += 1
        return await super().writer(*arguments)

    def read(self, source: TopicPartition, offset: int, records: int) -> Fetched:
        wet = self.joins >= self.wet_by_joins or self.takeovers >= self.wet_by_takeovers
        return super().read(source, offset, records) if wet or not self.dry else Fetched(source, [], offset)


class Life:
    """A worker on such a log."""

    def __init__(self, log: Moody, patience: float) -> None:
        self.metrics = Metrics()
        self.stop = asyncio.Event()
        runtime = TaskRuntime(
            log=log,
            clock=Clock.stream(),
            cadence=Cadence(seconds=0.02, first_wait=0.02),
            rebuild_seconds=0.3,
            broker_patience=patience,
        )
        self.task = asyncio.create_task(
            serve(runtime, "toy", replace(DATAFLOW, outputs=(RESULTS,)), assemble, stop=self.stop, metrics=self.metrics)
        )

    def told(self, metric: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"parcelwatch_{metric}", labels) or 0.0

    def tasks(self) -> int:
        return len(self.metrics.processors())

    async def until(self, condition: Callable[[], bool]) -> None:
        await until(lambda: self.task.done() or condition())
        assert not self.task.done()

    async def ready(self) -> None:
        await self.until(lambda: self.told("ready") == 1 and self.tasks() == 2)

    async def not_ready(self, reason: str) -> None:
        await self.until(lambda: self.told("ready") == 0 and self.told("not_ready", reason=reason) == 1)


@asynccontextmanager
async def living(log: Moody, patience: float = 100.0) -> AsyncIterator[Life]:
    life = Life(log, patience)
    try:
        async with asyncio.timeout(PATIENCE):
            await life.ready()
            yield life
    finally:
        life.stop.set()
        await asyncio.wait([life.task])


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is looked at sooner than it would be."""
    for name, seconds in {
        "_LOOK": 0.02,
        "_RIGHTS": 0.05,
        "_SILENT": 0.1,
        "_WAIT": 0.05,
        "_UNTOLD": 0.8,
    }.items():
        monkeypatch.setattr(watch, name, seconds)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standstill is told of and dealt with soon, though a restart may take its time on a busy machine."""
    for name, seconds in {"STANDSTILL": 1.0, "REJOIN": 3.0}.items():
        monkeypatch.setattr(standstill, name, seconds)


async def test_a_log_that_falls_silent_is_connected_to_anew_until_it_answers() -> None:
    log = Moody()
    async with living(log) as life:
        log.silent = True
        await life.not_ready("brokers")
        await life.until(lambda: log.starts > 3)
        assert life.tasks() == 0
        log.silent = False
        await life.ready()
        assert life.told("client_rebuilds_total") == 1
        log.append("scans", b"p1", pack([T0, "scan", "p1"]))
        await life.until(lambda: life.told("records_read_total", topic="scans") == 1)


async def test_a_log_that_stays_silent_ends_the_worker_with_status_three(capsys: pytest.CaptureFixture[str]) -> None:
    log = Moody()
    async with living(log, patience=0.6) as life:
        log.silent = True
        assert await asyncio.shield(life.task) == 3
    assert capsys.readouterr().err.startswith("parcelwatch: no broker has answered for ")


async def test_a_log_that_does_not_accept_the_worker_any_more_is_asked_again_until_it_does() -> None:
    log = Moody()
    async with living(log) as life:
        log.refusal = "user worker by SCRAM-SHA-512: who?"
        # What is connected already may go on.
        await life.not_ready("credentials")
        assert life.tasks() == 2
        log.silent = True
        starts = log.starts
        await life.until(lambda: log.starts > starts + 2)
        log.silent, log.refusal = False, None
        await life.ready()


async def test_a_log_that_never_accepts_the_worker_again_ends_it_with_status_three(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = Moody()
    async with living(log, patience=0.6) as life:
        log.silent, log.refusal = True, "user worker by SCRAM-SHA-512: who?"
        assert await asyncio.shield(life.task) == 3
    line = capsys.readouterr().err
    assert line.startswith("parcelwatch: no broker has accepted this client for ")
    assert line.endswith(": user worker by SCRAM-SHA-512: who?\n")


@pytest.mark.parametrize(
    "right",
    [
        Right("Delete", "topic", "toy-points"),
        Right("Write", "topic", RESULTS),
        Right("DescribeConfigs", "topic", "toy-road-changelog"),
        Right("Read", "group", "toy"),
    ],
)
async def test_a_right_that_is_taken_away_ends_the_worker(right: Right, capsys: pytest.CaptureFixture[str]) -> None:
    log = Moody()
    async with living(log) as life:
        log.denied.add(right)
        assert await asyncio.shield(life.task) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"parcelwatch: the brokers deny {right}; to grant it: kafka-acls ")
    assert line.count("\n") == 1


async def test_an_input_that_may_not_be_read_is_waited_for_without_tasks() -> None:
    log = Moody()
    right = Right("Read", "topic", "scans")
    async with living(log) as life:
        log.denied.add(right)
        await life.not_ready("rights")
        await life.until(lambda: life.tasks() == 0)
        assert life.told("missing_rights") == 1
        log.denied.remove(right)
        await life.ready()
        assert life.told("missing_rights") == 0


async def test_ends_that_nobody_tells_though_brokers_answer_make_it_unready() -> None:
    log = Moody()
    async with living(log) as life:
        log.leaderless = True
        await life.not_ready("looking")
        assert life.told("not_ready", reason="brokers") == 0
        log.leaderless = False
        await life.ready()


@pytest.mark.usefixtures("impatient")
async def test_a_task_that_stands_still_is_started_again_by_itself() -> None:
    log = Moody()
    async with living(log) as life:
        log.wet_by_takeovers = log.takeovers + 1
        log.dry = True
        log.append("scans", b"p1", pack([T0, "scan", "p1"]))
        await life.until(lambda: life.told("standstill_restarts_total", step="task") >= 1)
        await life.until(lambda: life.told("standstill_seconds") == 0)
        await life.ready()


@pytest.mark.usefixtures("impatient")
async def test_a_task_that_stands_still_all_the_same_gets_a_new_membership() -> None:
    log = Moody()
    async with living(log) as life:
        log.wet_by_joins = log.joins + 1
        log.dry = True
        log.append("scans", b"p1", pack([T0, "scan", "p1"]))
        await life.until(lambda: life.told("standstill_restarts_total", step="member") >= 1)
        await life.until(lambda: life.told("standstill_seconds") == 0)
        await life.ready()
        assert life.told("standstill_restarts_total", step="task") == 1


@pytest.mark.usefixtures("impatient")
async def test_a_task_that_nothing_helps_ends_the_worker_with_status_three(capsys: pytest.CaptureFixture[str]) -> None:
    log = Moody()
    async with living(log, patience=5.0) as life:
        log.dry = True
        log.append("scans", b"p1", pack([T0, "scan", "p1"]))
        assert await life.task == 3
    assert "and to start it again did not help: a new process may" in capsys.readouterr().err


@pytest.mark.usefixtures("impatient")
async def test_a_task_that_waits_behind_an_open_transaction_is_left_alone_and_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(TaskGroup, "waits", {SCANS: "it is held up by somebody"})
    log = Moody()
    async with living(log) as life:
        log.dry = True
        log.append("scans", b"p1", pack([T0, "scan", "p1"]))
        await life.not_ready("standstill")
        await life.until(lambda: life.told("standstill_seconds") > 4)
        assert life.told("standstill_restarts_total", step="task") == 0
        log.dry = False
        await life.ready()


async def test_a_task_that_reads_nothing_of_what_there_is_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "STANDSTILL", 0.3)
    log = Moody()
    async with living(log) as life:
        log.dry = True
        log.append("scans", b"p1", pack([T0, "scan", "p1"]))
        await life.not_ready("standstill")
        assert life.told("standstill_seconds") > 0.2
        log.dry = False
        await life.ready()
        assert life.told("standstill_seconds") == 0
