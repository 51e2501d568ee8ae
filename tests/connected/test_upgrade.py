"""Workers are replaced while a stream goes on: by others of this version, and those of 0.1.0 by those of this one."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

from streams.alerts.cloudevents import name_of
from tests.connected import former
from tests.connected.feed import Feed, feed
from tests.connected.marketplace import ALERTS, alerts, compare, compare_tables, progress, said
from tests.connected.mortals import alive, finish, until_all_work, until_true
from tests.connected.replaced import needs_history, told, worker
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

#: What the alerts rest on that 0.1.0 did not keep.
NOT_KEPT = {"shipment.delivery_late", "shipment.suspicious"}


async def read_more(kafka: Broker, stream: Feed, count: int) -> None:
    """Waits until so many more events have been read in committed transactions."""
    await stream.read_beyond(await progress(kafka) + count)


async def test_workers_that_are_restarted_one_by_one_lose_and_double_nothing(kafka: Broker, tmp_path: Path) -> None:
    workers = [worker(kafka, name) for name in ("one", "other")]
    async with feed(kafka, tmp_path) as stream, alive(*workers):
        await until_all_work(workers)
        for each in workers * 2:
            flowing = asyncio.create_task(stream.flow(1000))
            await asyncio.sleep(0)
            await read_more(kafka, stream, 100)
            await each.stop()
            await each.start()
            await until_all_work(workers)
            await flowing
        await finish(kafka, workers, stream)
        await compare(kafka, stream.out)


@needs_history
async def test_workers_of_0_1_0_are_replaced_at_once(kafka: Broker, tmp_path: Path, code: Path) -> None:
    # One of them has its state on disk.
    states = {"one": (), "other": ("--store", "rocksdict", "--state-dir", str(tmp_path / "state"))}
    old = [worker(kafka, name, *state, **former.variables(code)) for name, state in states.items()]
    new = [worker(kafka, name, *state) for name, state in states.items()]
    async with feed(kafka, tmp_path) as stream:
        flowing = asyncio.create_task(stream.flow(3000))
        async with alive(*old):
            await read_more(kafka, stream, 1000)
            await asyncio.gather(*(each.stop() for each in old))
        before = await told(kafka)
        assert before.total()
        async with alive(*new):
            await flowing
            await finish(kafka, new, stream)
            await compare_with_0_1_0(kafka, stream.out, before)


@needs_history
async def test_workers_of_0_1_0_read_nothing_of_those_that_replace_them_one_by_one(
    kafka: Broker, tmp_path: Path, code: Path
) -> None:
    first, second = (worker(kafka, name, **former.variables(code)) for name in ("one", "other"))
    new = [worker(kafka, name) for name in ("one", "other")]
    async with feed(kafka, tmp_path) as stream:
        flowing = asyncio.create_task(stream.flow(3000))
        async with alive(first, second):
            await read_more(kafka, stream, 1000)
            await first.stop()
            before = await told(kafka)
            async with alive(new[0]):
                # It reads what the new one sends, as soon as there is something to send.
                await until_true(new[0].works)
                await flowing
                async with asyncio.timeout(PATIENCE):
                    while second.running.returncode is None:
                        await stream.flow(20)
                        await asyncio.sleep(0.5)
                told_last = await said(second.running)
                assert second.running.returncode == 1
                assert "holds no envelope" in told_last or "cannot be read" in told_last
                assert "Traceback" not in told_last
                before |= await told(kafka)
                async with alive(new[1]):
                    await finish(kafka, new, stream)
                    await compare_with_0_1_0(kafka, stream.out, before)


async def compare_with_0_1_0(kafka: Broker, out: Path, before: Counter[str]) -> None:
    """Each alert is told once, and is the replay's, but for what 0.1.0 did not keep, or told otherwise; tables are."""
    found = {
        f"{topic} {alert['id']}": alert
        for topic in ALERTS
        for value in await alerts(kafka, topic)
        for alert in [json.loads(value)]
    }
    assert max((await told(kafka)).values()) == 1
    wanted = {
        f"{topic} {alert['id']}": alert
        for topic in ALERTS
        for alert in map(json.loads, (out / f"{topic}.jsonl").read_bytes().splitlines())
    }
    assert {name_of(wanted[one]["type"]) for one in wanted.keys() - found.keys()} <= NOT_KEPT
    others = found.keys() - wanted.keys()
    assert all(one in before or found[one]["data"]["resolution"] == "late_event" for one in others)
    await compare_tables(kafka, out)
