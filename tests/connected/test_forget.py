"""`parcelwatch forget` on a real Kafka, beside a running worker that keeps a copy of its state on disk."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rocksdict import Options, Rdict

from schemas.times import HOUR, render
from streams.stages.buyer_hash import buyer_hash
from tests.connected.marketplace import APP, Produced
from tests.kafka_broker import Broker
from tests.patience import LONG_SESSION, PATIENCE
from tests.unit.cli import environment
from tests.unit.forget.shop import INPUTS, KEY, OUTPUTS, T0, Events

#: Whatever else the machine does, the worker is a member of its group.
STAYS = ("--session-timeout", str(LONG_SESSION))
SHOP = environment(PARCELWATCH_BUYER_KEY=KEY.decode(), PARCELWATCH_APP_ID=APP)
NAMES = (b"\xa1A", b"parcel-A", buyer_hash(KEY)("buyer-1"))


async def write(kafka: Broker, fill: Callable[[Events], None]) -> None:
    """Produces what `fill` makes, and then events that bring all time forward."""
    produced: Produced = []
    fill(Events(lambda *record: produced.append(record)))
    for topic in INPUTS:
        await kafka.produce(topic, [(key, value) for one, key, value in produced if one == topic])


async def alerts(kafka: Broker) -> list[dict[str, Any]]:
    found = []
    for topic in ("alerts.merchant", "alerts.platform"):
        found += [json.loads(record.value) for record in await kafka.read_committed(topic)]
    return found


async def raised(kafka: Broker, subject: str, type_: str) -> bool:
    return any(one["subject"] == subject and type_ in one["type"] for one in await alerts(kafka))


async def until_raised(kafka: Broker, subject: str, type_: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await raised(kafka, subject, type_):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def forget(kafka: Broker, *options: str, buyer: str = "") -> dict[str, Any]:
    """Runs the command; what it says as JSON. It must end with status 0."""
    arguments = ("forget", "--broker", f"kafka://{kafka.bootstrap}", "--json", *options)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams", *arguments, env=SHOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    said, error = await asyncio.wait_for(process.communicate(buyer.encode()), PATIENCE)
    assert process.returncode == 0, error.decode()
    report: dict[str, Any] = json.loads(said)
    return report


async def state(kafka: Broker) -> bytes:
    """What the changelogs come to."""
    live: dict[tuple[str, int, bytes], bytes] = {}
    for kind in ("orders", "shipments"):
        for record in await kafka.read_committed(f"{APP}-{kind}-changelog"):
            if record.value is None:
                live.pop((kind, record.partition, record.key), None)
            else:
                live[kind, record.partition, record.key] = record.value
    return b"".join(key + value for (_, _, key), value in live.items())


def copies(folder: Path) -> Iterator[bytes]:
    """What the copies on disk hold."""
    for path in (folder / APP).iterdir():
        database = Rdict(str(path), Options(raw_mode=True))
        for key, value in database.items():
            yield bytes(key) + bytes(value)
        database.close()


async def test_a_running_worker_goes_on_without_the_buyer(kafka: Broker, tmp_path: Path) -> None:
    await kafka.create_topics(INPUTS | OUTPUTS)

    def begin(events: Events) -> None:
        events.two_orders()
        events.everywhere(90)

    def go_on(events: Events) -> None:
        events.go_on()
        events.everywhere(300)

    await write(kafka, begin)
    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--clock", "stream", "--commit-interval", "0.1",
                 *STAYS)  # fmt: skip
    local = ("--store", "rocksdict", "--state-dir", str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams", *arguments, *local, env=SHOP, stderr=subprocess.DEVNULL
    )
    try:
        for order in "AF":
            await until_raised(kafka, order, "order.ship_late")
        # Both are known; and what their tasks tell those of the parcels has been read.
        while (seen := await forget(kafka, "--buyer", buyer_hash(KEY)("buyer-1").hex(), "--dry-run"))["unread"]:
            pass
        assert [order["order_id"] for order in seen["orders"]] == ["A"]
        report = await forget(kafka, "--buyer", "-", buyer="buyer-1\n")
        assert (report["workers"], report["unread"]) == (1, [])
        assert [order["order_id"] for order in report["orders"]] == ["A"]
        assert [parcel["tracking_no"] for parcel in report["parcels"]] == ["parcel-A"]
        assert {one["topic"] for one in report["kafka"]} >= {*INPUTS, "alerts.merchant", f"{APP}-orders-changelog"}
        await write(kafka, go_on)
        await until_raised(kafka, "F", "aftersales.rights_refused")
        await until_raised(kafka, "parcel-F", "shipment.stalled")
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE)
    assert process.returncode == 0
    assert not await raised(kafka, "A", "aftersales.rights_refused")
    assert not await raised(kafka, "parcel-A", "shipment.")
    ids = [one["id"] for one in await alerts(kafka)]
    assert len(ids) == len(set(ids))
    # Order A is known again by what came since: not the buyer, and no parcel.
    for held in (await state(kafka), b"".join(copies(tmp_path))):
        assert not any(name in held for name in NAMES[1:])
        assert buyer_hash(KEY)("buyer-2") in held


async def test_without_transactions_no_worker_may_run(kafka: Broker) -> None:
    await kafka.create_topics(INPUTS | OUTPUTS)
    await write(kafka, lambda events: events.two_orders())
    plain = ("--guarantee", "at_least_once")
    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--clock", render(T0 + 90 * HOUR), *plain, *STAYS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams", *arguments, env=SHOP, stderr=subprocess.DEVNULL
    )
    try:
        for order in "AF":
            await until_raised(kafka, order, "order.ship_late")
        # What is under way between the tasks is read by a worker alone.
        while (await forget(kafka, "--order", "A", "--dry-run", *plain))["unread"]:
            pass
        with pytest.raises(AssertionError, match="stop all of them first"):
            await forget(kafka, "--order", "A", *plain)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE)
    report = await forget(kafka, "--order", "A", *plain)
    assert [order["order_id"] for order in report["orders"]] == ["A"]
    left = await state(kafka)
    assert not any(name in left for name in NAMES)
    ended = await asyncio.create_subprocess_exec(sys.executable, "-m", "streams", *arguments, "--once", env=SHOP)
    assert await asyncio.wait_for(ended.wait(), PATIENCE) == 0
