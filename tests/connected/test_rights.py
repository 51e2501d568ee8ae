"""A worker with exactly the rights that it needs; each of them taken away, at the start and while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.rights import Right
from streams.engine.topology import rights
from streams.policy.load import load
from streams.stages.dataflow import dataflow
from tests.connected.documented_rights import documented
from tests.connected.marketplace import (
    APP,
    INPUTS,
    OUTPUTS,
    generated,
    produce,
    progress,
    run,
    running,
    said,
    saying,
    some_days_after,
    valid,
)
from tests.connected.mortals import Mortal, alive, until_true
from tests.kafka_broker import Broker
from tests.kafka_broker.acls import grant, revoke
from tests.kafka_broker.broker import BOUND, PASSWORD

ONE = dict.fromkeys(INPUTS, 1)
VARIABLE = {"PARCELWATCH_SASL_PASSWORD": PASSWORD}
NEEDED = rights(APP, replace(dataflow(load("default")), outputs=tuple(OUTPUTS)))
IDS = Right("Write", "transactional-id", f"{APP}-")
#: One of each kind, with what else the loss is told of.
KINDS = [
    Right("Write", "topic", "orders.dlq"),
    Right("Read", "topic", f"{APP}-registrations"),
    Right("Write", "topic", f"{APP}-links"),
    Right("Delete", "topic", f"{APP}-links"),
    Right("DescribeConfigs", "topic", f"{APP}-orders-changelog"),
    Right("Read", "topic", f"{APP}-orders-changelog"),
    Right("Write", "topic", f"{APP}-shipments-changelog"),
    Right("Read", "group", APP),
    IDS,
]


def at(kafka: Broker) -> tuple[str, ...]:
    who = ("--security-protocol", "SASL_PLAINTEXT", "--sasl-username", BOUND)
    return ("--broker", f"kafka://{kafka.secured}", "--app-id", APP, *who)


@asynccontextmanager
async def allowed(kafka: Broker, granted: Sequence[Right]) -> AsyncIterator[None]:
    """The user has these rights in the block, and none behind it but those that the block itself takes."""
    await grant(kafka.bootstrap, BOUND, granted)
    try:
        yield
    finally:
        await grant(kafka.bootstrap, BOUND, granted)
        await revoke(kafka.bootstrap, BOUND, granted)


async def begun(kafka: Broker) -> None:
    """The topics are there, all of them, with some events."""
    await produce(kafka, valid(generated(days=1))[:200], ONE)
    async with running("topics", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP) as process:
        await said(process)
    assert process.returncode in {0, 1}  # 1: those of the tests are set up otherwise


def fatal_line(told: str) -> str:
    (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
    assert "Traceback" not in told
    return line


def check_line(line: str, right: Right) -> None:
    """It names what is missing and grants it."""
    assert str(right) in line
    name = right.name + ("orders-0" if right == IDS else "")
    granting = f"--add --allow-principal 'User:{BOUND}' --operation {right.operation} --{right.resource} {name}"
    assert granting in line.replace("shipments-0", "orders-0")


async def test_the_documented_rights_are_enough_from_the_first_start_to_the_end(mortal_kafka: Broker) -> None:
    events = valid(generated(days=2))
    await produce(mortal_kafka, events, ONE)
    granted = documented("smallest", "first start", app=APP)
    assert len(granted) > 12
    await grant(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if not by])
    await grant(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if by], prefixed=True)
    try:
        await run("worker", *at(mortal_kafka), "--clock", some_days_after(events), "--once", **VARIABLE)
    finally:
        await revoke(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if not by])
        await revoke(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if by], prefixed=True)
    assert await progress(mortal_kafka) == len(events)


async def test_every_right_that_is_missing_is_found_by_name(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    client = {"security_protocol": "SASL_PLAINTEXT", "sasl_plain_username": BOUND, "sasl_plain_password": PASSWORD}
    log = KafkaLog(KafkaSettings(bootstrap=mortal_kafka.secured, client=client))
    await log.start()
    try:
        async with allowed(mortal_kafka, NEEDED):
            assert await log.lacking(NEEDED) == []
            for right in NEEDED:
                await revoke(mortal_kafka.bootstrap, BOUND, [right])
                assert await log.lacking(NEEDED) == [right]
                await grant(mortal_kafka.bootstrap, BOUND, [right])
        assert set(await log.lacking(NEEDED)) == set(NEEDED)
    finally:
        await log.stop()


async def test_a_worker_without_one_of_its_rights_does_not_start_and_says_which_one(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    for right in (*KINDS, Right("Read", "topic", "orders")):
        async with (
            allowed(mortal_kafka, [each for each in (*NEEDED, IDS) if each != right]),
            running("worker", *at(mortal_kafka), "--start-patience", "600", **VARIABLE) as process,
        ):
            told = await said(process)
        assert process.returncode == 2, right
        check_line(fatal_line(told), right)


@pytest.mark.parametrize("right", KINDS, ids=lambda right: f"{right.operation}-{right.resource}")
async def test_a_right_that_is_taken_from_a_running_worker_ends_it_with_one_line(
    right: Right, mortal_kafka: Broker
) -> None:
    await begun(mortal_kafka)
    worker = Mortal("worker", *at(mortal_kafka), "--commit-interval", "0.2", **VARIABLE)
    async with allowed(mortal_kafka, [*NEEDED, IDS]), alive(worker):
        await until_true(worker.works)
        await revoke(mortal_kafka.bootstrap, BOUND, [right])
        told = await said(worker.running)
    assert worker.running.returncode == 2
    check_line(fatal_line(told), right)


async def test_an_input_that_may_not_be_read_for_a_while_is_waited_for(mortal_kafka: Broker) -> None:
    await begun(mortal_kafka)
    right = Right("Read", "topic", "orders")
    worker = Mortal("worker", *at(mortal_kafka), "--commit-interval", "0.2", **VARIABLE)
    async with allowed(mortal_kafka, [*NEEDED, IDS]), alive(worker):
        await until_true(worker.works)
        await revoke(mortal_kafka.bootstrap, BOUND, [right])
        await saying(worker.running, str(right))

        async def has_left() -> bool:
            return not await worker.works() and await worker.lives() and await worker.tasks() == 0

        await until_true(has_left)
        before = await progress(mortal_kafka)
        await mortal_kafka.produce("orders", [(b"?", b"no event")])
        await grant(mortal_kafka.bootstrap, BOUND, [right])
        await until_true(worker.works)

        async def reads_on() -> bool:
            return await progress(mortal_kafka) > before

        await until_true(reads_on)
        await worker.stop()
    told = await said(worker.running)
    # A line when it begins, and one in each further minute.
    assert 1 <= told.count("to grant it") <= 1 + worker.minutes
    assert told.count("not ready") < 10 + worker.minutes
