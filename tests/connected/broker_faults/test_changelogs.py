"""Changelogs that lost rows, are another's or of another form: none is trusted, and none is made up in silence."""

from __future__ import annotations

import pytest

from streams.engine.formats import FORMAT
from tests.connected.broker_faults.scans import (
    SCANS,
    make_topics,
    named,
    refused,
    silent_since,
    stalled,
    until_stalled,
    working,
)
from tests.connected.marketplace import APP, command, run, said
from tests.connected.mortals import until_true
from tests.kafka_broker import Broker

OLD, NEW = named("P", 20), named("Q", 10)
CHANGELOG = f"{APP}-shipments-changelog"


async def have_read(kafka: Broker, *options: str) -> None:
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, OLD))
    async with working(kafka, *options) as worker:
        await until_stalled(kafka, OLD)
        await worker.stop()


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
async def test_a_changelog_that_kafka_may_delete_of_is_refused(kafka: Broker, policy: str) -> None:
    await have_read(kafka)
    await kafka.alter_topics({CHANGELOG: {"cleanup.policy": policy}})
    async with working(kafka) as worker:
        line = await refused(worker)
    assert line.startswith(f"parcelwatch: changelog {CHANGELOG} has cleanup.policy {policy}, and must have compact")


async def test_a_changelog_whose_policy_is_changed_under_a_live_worker_ends_it(kafka: Broker) -> None:
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, OLD))
    async with working(kafka) as worker:
        await until_stalled(kafka, OLD)
        await kafka.alter_topics({CHANGELOG: {"cleanup.policy": "delete"}})
        assert f"changelog {CHANGELOG} has cleanup.policy delete" in await refused(worker)


async def test_topics_ends_with_status_one_where_a_changelog_disagrees(kafka: Broker) -> None:
    arguments = ("topics", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, "--scan-partitions", "1")
    await run(*arguments)
    await run(*arguments)
    await kafka.alter_topics({CHANGELOG: {"cleanup.policy": "delete"}})
    process = await command(*arguments)
    await said(process)
    assert process.returncode == 1


@pytest.mark.parametrize("before", [1, -1])
async def test_a_changelog_that_has_lost_its_oldest_rows_is_refused(kafka: Broker, before: int) -> None:
    await have_read(kafka)
    await kafka.alter_topics({CHANGELOG: {"cleanup.policy": "delete"}})
    await kafka.delete_records(CHANGELOG, before)
    await kafka.alter_topics({CHANGELOG: {"cleanup.policy": "compact"}})
    async with working(kafka) as worker:
        line = await refused(worker)
    assert line.startswith(f"parcelwatch: changelog {CHANGELOG}-0 has lost its rows before offset ")


@pytest.mark.parametrize("made_again", [True, False])
async def test_a_changelog_that_was_deleted_is_not_made_again_in_silence(kafka: Broker, made_again: bool) -> None:
    await have_read(kafka)
    await kafka.delete_topics([CHANGELOG])
    if made_again:
        await kafka.create_topics({CHANGELOG: 1}, {CHANGELOG: {"cleanup.policy": "compact"}})
    async with working(kafka) as worker:
        assert CHANGELOG in await refused(worker)
    assert await stalled(kafka) == {*OLD}


async def test_a_changelog_of_another_application_is_refused(kafka: Broker) -> None:
    await have_read(kafka)
    rows = [(record.key, record.value) for record in await kafka.read_committed(CHANGELOG)]
    other = "other-shipments-changelog"
    await kafka.create_topics({other: 1}, {other: {"cleanup.policy": "compact"}})
    await kafka.produce(other, rows)
    # Some of the other application's internal topics are there already: it has state.
    for topic in await kafka.topics():
        if topic.startswith(f"{APP}-") and topic != CHANGELOG:
            compact = {"cleanup.policy": "compact"} if topic.endswith("changelog") else {}
            name = f"other-{topic.removeprefix(f'{APP}-')}"
            await kafka.create_topics({name: 1}, {name: compact})
    async with working(kafka, app="other") as worker:
        line = await refused(worker)
    assert f"changelog {other}-0 is that of application {APP}, shipments-0 of 1, and this is application other" in line


@pytest.mark.parametrize(
    ("head", "told"),
    [
        (bytes(17), "written by an older version, in format 0"),
        (bytes([0x92, FORMAT + 1, 0xC0]), f"written by a newer version, in format {FORMAT + 1}"),
        (None, "not the one that it began with"),
    ],
)
async def test_a_changelog_of_another_format_is_told_in_one_line(kafka: Broker, head: bytes | None, told: str) -> None:
    await have_read(kafka)
    await kafka.produce(CHANGELOG, [(b"b", head)])
    async with working(kafka) as worker:
        assert told in await refused(worker)


async def test_state_on_disk_whose_inputs_are_other_topics_is_not_used(kafka: Broker, tmp_path: object) -> None:
    disk = ("--store", "rocksdict", "--state-dir", str(tmp_path))
    await have_read(kafka, *disk)
    await kafka.delete_topics([SCANS])
    await kafka.create_topics({SCANS: 1})
    await kafka.produce(SCANS, silent_since(8, named("Q", 30)))
    async with working(kafka, *disk) as worker:
        assert "logistics-scans-0: position 20, first offset 0, end 30" in await refused(worker)
    # Everything made anew under the same names, and a copy of the former life on disk.
    await kafka.wipe()
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, NEW))
    await kafka.forget_group(APP)
    async with working(kafka, *disk):
        await until_stalled(kafka, NEW)


async def test_without_state_and_offsets_what_was_told_is_told_again_only_if_asked_for(kafka: Broker) -> None:
    await have_read(kafka)
    await kafka.delete_topics([topic for topic in await kafka.topics() if topic.startswith(f"{APP}-")])
    await kafka.forget_group(APP)
    async with working(kafka) as worker:
        line = await refused(worker)
    assert "has neither state nor offsets, but alerts.platform holds records" in line
    assert not [topic for topic in await kafka.topics() if topic.startswith(f"{APP}-")]
    async with working(kafka, "--begin-anew") as worker:

        async def has_read() -> bool:
            return await worker.told("parcelwatch_records_read_total") >= 20

        await until_true(has_read)


async def test_what_tasks_sent_each_other_before_is_not_read_by_an_application_that_begins(kafka: Broker) -> None:
    await have_read(kafka)
    await kafka.delete_topics([topic for topic in await kafka.topics() if topic.endswith("-changelog")])
    await kafka.forget_group(APP)
    async with working(kafka, "--begin-anew") as worker:
        assert "holds what its tasks sent to each other" in await refused(worker)


async def test_what_a_worker_that_died_in_its_first_commit_has_left_is_no_state(kafka: Broker) -> None:
    await make_topics(kafka)
    await kafka.create_topics({f"{APP}-carrier-hours": 1})
    async with kafka.transaction("of a worker") as producer:
        for topic in (f"{APP}-carrier-hours", "alerts.platform"):
            await producer.send_and_wait(topic, b"?", partition=0)
        await producer.abort_transaction()
    await kafka.produce(SCANS, silent_since(8, OLD))
    async with working(kafka):
        await until_stalled(kafka, OLD)
