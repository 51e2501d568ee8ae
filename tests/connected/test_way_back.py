"""Back to 0.1.0: before a worker of this version has started, and after; and commands on what 0.1.0 has left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from tests.connected import former
from tests.connected.feed import Feed, feed
from tests.connected.marketplace import APP, run, said
from tests.connected.mortals import Mortal, alive, until_true
from tests.connected.replaced import needs_history, told, worker
from tests.kafka_broker import Broker
from tests.unit.cli import run as ended

pytestmark = needs_history
CHANGELOGS = (f"{APP}-orders-changelog", f"{APP}-shipments-changelog")
#: Days of a stream that all partitions have something of.
DAYS = 8


async def test_until_a_new_worker_has_started_the_old_ones_go_on(kafka: Broker, tmp_path: Path, code: Path) -> None:
    variables = former.variables(code)
    old = [worker(kafka, name, **variables) for name in ("one", "other")]
    async with feed(kafka, tmp_path, days=DAYS) as stream:
        async with alive(*old):
            await stream.read_beyond(1000)
            assert (await of(kafka, APP, "topics"))[0] in (0, 1)
            await asyncio.gather(*(each.stop() for each in old))
        await kafka.expel(APP)
        before = await left(kafka)
        await commands_change_nothing(kafka, stream)
        assert await left(kafka) == before
        told_before = await told(kafka)
        async with alive(*old):
            await stream.rest()
            await stream.read_all()
            await asyncio.gather(*(each.stop() for each in old))
        after = await told(kafka)
        assert told_before < after
        assert max(after.values()) == 1


async def commands_change_nothing(kafka: Broker, stream: Feed) -> None:
    """Those of this version, on an application of 0.1.0: each does its work, or says in one line why not."""
    order = next(key.decode() for topic, key, _ in stream.events if topic == "orders")
    status, words = await of(kafka, APP, "forget", "--order", order)
    assert status == 2
    assert "was written by an older version, in format 1: start workers of this version first" in words
    assert words.count("\n") == 1
    status, words = await of(kafka, APP, "forget", "--order", order, "--dry-run")
    assert status == 0
    assert f"order {order}" in words
    assert "parcel" in words
    status, words = await of(kafka, APP, "status")
    assert status == 1
    assert "no worker runs" in words
    status, words = await of(kafka, APP, "reset", "--dry-run")
    assert status == 0
    assert all(f"topic {topic}: deleted" in words for topic in CHANGELOGS)


async def test_after_a_new_worker_0_1_0_begins_anew_under_another_name(
    kafka: Broker, tmp_path: Path, code: Path
) -> None:
    variables = former.variables(code)
    old, new = worker(kafka, "one", **variables), worker(kafka, "one")
    async with feed(kafka, tmp_path, days=DAYS) as stream:
        async with alive(old):
            await stream.read_all()
            await old.stop()
        before = await told(kafka)
        assert before
        await is_taken_over(kafka, new, stream)
        taken = await left(kafka)
        async with alive(old):
            last = await said(old.running)
        assert old.running.returncode == 1
        assert "changelog row b'eprogress' cannot be read" in last
        assert "Traceback" not in last
        assert await left(kafka) == taken
        await stream.rest()
        until_then = await told(kafka)
        back = ("--app-id", "back", "--clock", stream.until, "--once")
        await run("worker", "--broker", f"kafka://{kafka.bootstrap}", *back, **variables)
        again = await told(kafka) - until_then
        assert before <= again
        assert max(again.values()) == 1
        # A state of 0.1.0 that no worker of this version has seen.
        assert (await of(kafka, "back", "reset", "--yes"))[0] == 0
        assert not any(topic.startswith("back-") for topic in await kafka.topics())


async def is_taken_over(kafka: Broker, new: Mortal, stream: Feed) -> None:
    """By a worker to which nothing new comes; from then on orders are forgotten."""
    async with alive(new):
        await until_true(new.works)

        async def is_said() -> bool:
            rows = {}
            for topic in CHANGELOGS:
                for record in await kafka.read_committed(topic):
                    if record.key == b"eprogress":
                        rows[topic, record.partition] = msgspec.msgpack.decode(record.value)
            return all(isinstance(row[0], int) for row in rows.values())

        await until_true(is_said)
        order = next(key.decode() for topic, key, _ in stream.events if topic == "orders")
        status, words = await of(kafka, APP, "forget", "--order", order)
        # 1: what it has sent to other tasks may be unread still.
        assert status in (0, 1), words
        assert f"order {order}" in words
        await until_true(new.works)
        await new.stop()


async def of(kafka: Broker, app: str, command: str, *options: str) -> tuple[int, str]:
    """The exit status and the words of a command of this version."""
    reached = ("--broker", f"kafka://{kafka.bootstrap}", "--app-id", app)
    done = await asyncio.to_thread(ended, command, *reached, *options)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


async def left(kafka: Broker) -> dict[str, object]:
    """How far the application's topics and the alerts reach, and its offsets."""
    topics = [topic for topic in await kafka.topics() if topic.startswith((APP, "alerts."))]
    ends: dict[str, object] = {topic: await kafka.end_offsets(topic) for topic in topics}
    return ends | {"committed": await kafka.committed(APP)}
