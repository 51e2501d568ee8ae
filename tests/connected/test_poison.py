"""Records that are no events among those that are: each is a dead letter, the rest is as if they were not there."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from aiokafka import AIOKafkaProducer

from tests import odd_batches
from tests.connected.marketplace import (
    DEAD,
    INPUTS,
    OUTPUTS,
    THREE,
    Produced,
    command,
    compare,
    ended_well,
    generated,
    heard_of,
    progress,
    replay,
    run,
    running,
    some_days_after,
    valid,
    worker,
)
from tests.connected.mortals import until_true
from tests.kafka_broker import Broker

#: As large as a record may be on a broker with Kafka's default limit: no letter with its value could be written.
HUGE = b"x" * 1_048_400

#: How many dead letters in a row; their values and reasons.
FLOOD = 6_000
BROKEN = [
    (b"no json at all", "not_json"),
    (b'["no object"]', "not_object"),
    (b'{"type":"nothing known"}', "unknown_type"),
    (b"{}", "missing_field"),
]

#: Key, value and headers of records, and the reason of their dead letters; None: passed over.
POISON = [
    ((b"A", b"no json at all", []), "not_json"),
    ((b"A", b'["no object"]', []), "not_object"),
    ((b"A", HUGE, [("h", b"kept")]), "too_large"),
    ((None, HUGE, []), "too_large"),
    ((b"A", b"\xff\xfe", [("h", None)]), "not_json"),
    ((b"A", None, []), None),
]


async def test_poison_of_every_kind_stops_nothing(kafka: Broker, tmp_path: Path) -> None:
    events = valid(generated(days=12))
    until = some_days_after(events)
    out = await replay(events, until, tmp_path)
    await kafka.create_topics({**THREE, **OUTPUTS})
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=2 << 20) as producer:
        # The first batch of all is of one record, and all that there is for a moment.
        await write(producer, events[:1])
        options = ("--fetch-records", "50", "--dead-letter-payload")
        async with running("worker", *worker(kafka, until)[1:5], "--clock", "stream", *options) as process:

            async def first_read() -> bool:
                return await progress(kafka) == 1

            await until_true(first_read)
            third = len(events) // 3
            await write(producer, events[1:third])
            for topic in INPUTS:
                for partition in range(3):
                    for (key, value, headers), _ in POISON:
                        await producer.send(topic, value, key, partition, headers=headers)
                # A valid event without a key, and one with a header's name that the client cannot decode.
                value = next(value for one, _, value in events if one == topic)
                await producer.send(topic, value, None, 0)
                await odd_batches.send_name(producer, topic, 1, None, value)
                # Batches that the client cannot read at all, or only with more memory than there is.
                await odd_batches.send_spoiled(producer, topic, 1)
                await odd_batches.send_bomb(producer, topic, 2)
            await producer.flush()
            await write(producer, events[third:])
            process.terminate()
            await process.wait()
    assert process.returncode == 0
    await run(*worker(kafka, until, *options))
    await compare(kafka, out)
    for topic in DEAD:
        letters = [dict(record.headers) for record in await kafka.read_committed(topic)]
        reasons = Counter(letter["error-code"].decode() for letter in letters)
        expected = Counter(reason for _, reason in POISON if reason for _ in range(3))
        # Of three records that come in one batch the first can be read.
        assert reasons == expected + Counter(["wrong_key"] * 2 + ["not_json"] * 3)
        assert sum(b"cannot be read" in letter["error-detail"] for letter in letters) == 2
        assert sum(letter.get("a\ufffdb") == b"kept" for letter in letters) == 1
        assert sum(letter.get("h") == b"kept" for letter in letters) == 3


async def test_a_flood_of_dead_letters_is_counted_exactly_and_logged_seldom(kafka: Broker, tmp_path: Path) -> None:
    events = valid(generated(days=3))
    until = some_days_after(events)
    out = await replay(events, until, tmp_path)
    await kafka.create_topics({**THREE, **OUTPUTS})
    half = len(events) // 2
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        await write(producer, events[:half])
        for number in range(FLOOD):
            await producer.send(INPUTS[number % 3], BROKEN[number % len(BROKEN)][0], b"A", number % 2)
        await producer.flush()
        await write(producer, events[half:])
    began = time.monotonic()
    process = await command(*worker(kafka, until))
    await ended_well(process)
    times = 2 + (time.monotonic() - began) // 30
    await compare(kafka, out)
    expected = Counter(BROKEN[number % len(BROKEN)][1] for number in range(FLOOD))
    found: Counter[str] = Counter()
    for topic in DEAD:
        found.update(dict(letter.headers)["error-code"].decode() for letter in await kafka.read_committed(topic))
    assert found == expected
    # One for each topic and reason in 30 seconds, and the rest of their counts.
    lines = [line for line in heard_of(process) if "dead letter" in line]
    assert 0 < len(lines) <= len(INPUTS) * len(BROKEN) * times


async def write(producer: AIOKafkaProducer, events: Produced) -> None:
    for topic, key, value in events:
        await producer.send(topic, value, key)
    await producer.flush()
