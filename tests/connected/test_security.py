"""A broker that wants to know who comes: the right name and password work, others are told at once."""

from __future__ import annotations

from tests.connected.marketplace import APP, generated, produce, progress, run, running, said, some_days_after, valid
from tests.connected.marketplace import THREE as PARTITIONS
from tests.kafka_broker import Broker
from tests.kafka_broker.broker import PASSWORD, USER

WHO = ("--security-protocol", "SASL_PLAINTEXT", "--sasl-username", USER)
VARIABLE = "PARCELWATCH_SASL_PASSWORD"


def at(kafka: Broker) -> tuple[str, ...]:
    return ("--broker", f"kafka://{kafka.secured}", "--app-id", APP, *WHO)


async def test_commands_go_to_a_broker_that_knows_them(mortal_kafka: Broker) -> None:
    events = valid(generated(days=2))
    await run("topics", *at(mortal_kafka), "--dry-run", **{VARIABLE: PASSWORD})
    await produce(mortal_kafka, events, PARTITIONS)
    end = ("--clock", some_days_after(events), "--once")
    await run("worker", *at(mortal_kafka), *end, **{VARIABLE: PASSWORD})
    assert await progress(mortal_kafka) == len(events)
    order = next(key.decode() for topic, key, _ in events if topic == "orders")
    await run("forget", "--order", order, *at(mortal_kafka), **{VARIABLE: PASSWORD})
    await run("explain", order, "--broker", f"kafka://{mortal_kafka.secured}", *WHO, **{VARIABLE: PASSWORD})


async def test_a_wrong_password_is_told_at_once_and_in_one_line(mortal_kafka: Broker) -> None:
    for arguments in (("topics",), ("worker", "--start-patience", "600"), ("forget", "--order", "A")):
        async with running(*arguments, *at(mortal_kafka), **{VARIABLE: "guessed"}) as process:
            told = await said(process)
        assert process.returncode == 2
        (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
        assert f"the broker at {mortal_kafka.secured} and this client do not accept each other: " in line
        assert "guessed" not in told
        assert "Traceback" not in told
