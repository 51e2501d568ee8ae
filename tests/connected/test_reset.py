"""`parcelwatch reset` on a real Kafka."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable

from schemas.times import HOUR, render
from tests.connected.marketplace import APP, alerts, run, running, saying, worker
from tests.kafka_broker import Broker
from tests.unit.cli import run as told
from tests.unit.forget.shop import INPUTS, OUTPUTS, T0, Events

END = render(T0 + 300 * HOUR)


async def write(kafka: Broker, fill: Callable[[Events], None]) -> None:
    """Produces what `fill` makes."""
    produced: list[tuple[str, bytes, bytes]] = []
    fill(Events(lambda *record: produced.append(record)))
    for topic in INPUTS:
        await kafka.produce(topic, [(key, value) for one, key, value in produced if one == topic])


async def raised(kafka: Broker) -> Counter[str]:
    """How often each subject was raised as shipped late."""
    found = [json.loads(value) for value in await alerts(kafka, "alerts.merchant")]
    return Counter(one["subject"] for one in found if "ship_late" in one["type"] and one["data"]["status"] == "raised")


def reset(kafka: Broker, *options: str) -> tuple[int, str]:
    ended = told("reset", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, *options)
    return ended.returncode, ended.stdout + ended.stderr


async def test_an_application_begins_anew_and_nothing_else_is_touched(kafka: Broker) -> None:
    await kafka.create_topics(INPUTS | OUTPUTS)
    await write(kafka, Events.two_orders)
    await run(*worker(kafka, END))
    assert await raised(kafka) == {"A": 1, "F": 1}
    before = {topic: await kafka.end_offsets(topic) for topic in INPUTS | OUTPUTS}

    status, said = reset(kafka)
    assert status == 2
    assert f"topic {APP}-orders-changelog: deleted" in said
    assert "--yes" in said.splitlines()[-1]
    assert reset(kafka, "--dry-run")[0] == 0
    assert f"{APP}-orders-changelog" in await kafka.topics()
    assert any(offset > 0 for offset in (await kafka.committed(APP)).values())

    status, said = reset(kafka, "--yes")
    assert (status, said.splitlines()[-1]) == (0, "done: the next worker begins anew")
    assert await kafka.topics() == set(INPUTS | OUTPUTS)
    assert not any(offset > 0 for offset in (await kafka.committed(APP)).values())
    assert before == {topic: await kafka.end_offsets(topic) for topic in INPUTS | OUTPUTS}
    await run(*worker(kafka, END))
    assert await raised(kafka) == {"A": 2, "F": 2}


async def test_from_a_time_on_only_later_records_are_read(kafka: Broker) -> None:
    await kafka.create_topics(INPUTS | OUTPUTS)
    await write(kafka, Events.two_orders)
    await run(*worker(kafka, END))
    # Producers' clocks are this machine's: what they write from here on is of this millisecond or later.
    since = render(time.time_ns() // 1_000_000 * 1000 + 1000)
    await write(kafka, lambda events: events.placed("later", "buyer-3", 1))
    status, said = reset(kafka, "--from", since, "--yes")
    assert status == 0, said
    assert f"the first record of {since} or later: orders (2 offsets)" in said, said
    await run(*worker(kafka, END))
    assert await raised(kafka) == {"A": 1, "F": 1, "later": 1}
    # From here on it is a state like any other.
    await run(*worker(kafka, END))
    assert await raised(kafka) == {"A": 1, "F": 1, "later": 1}


async def test_it_is_refused_while_a_worker_runs(kafka: Broker) -> None:
    await kafka.create_topics(INPUTS | OUTPUTS)
    arguments = ("worker", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP)
    async with running(*arguments) as process:
        await saying(process, "restored")
        status, said = reset(kafka, "--yes")
    assert status == 2
    assert f"group {APP} has 1 members" in said
    assert f"{APP}-orders-changelog" in await kafka.topics()
