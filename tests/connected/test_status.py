"""`parcelwatch status` on a real Kafka: what it says when all is well, and of each thing that goes wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from tests.connected.broker_faults.scans import SCANS, live, named, silent_since, stalled, working
from tests.connected.documented_rights import documented
from tests.connected.marketplace import APP, run, worker
from tests.connected.mortals import Mortal, alive, until_all_work
from tests.kafka_broker import Broker
from tests.kafka_broker.acls import grant, revoke
from tests.kafka_broker.broker import BOUND, PASSWORD
from tests.patience import LONG_SESSION, PATIENCE
from tests.unit.cli import run as told

PARCELS = named("SECRET", 8)
#: The group takes no worker for dead while a test looks at it; who is to be dead is taken out of the group.
SESSION = ("--session-timeout", str(LONG_SESSION))


async def topics(kafka: Broker, *options: str) -> None:
    few = ("--order-partitions", "2", "--scan-partitions", "2")
    await run("topics", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", APP, *few, *options)


def reached(kafka: Broker, app: str = APP) -> tuple[str, ...]:
    return ("--broker", f"kafka://{kafka.bootstrap}", "--app-id", app)


def status(kafka: Broker, *options: str, app: str = APP) -> tuple[int, dict[str, Any]]:
    """The exit status and what it says as JSON."""
    ended = told("status", *reached(kafka, app), "--format", "json", *options)
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def wrong(said: dict[str, Any]) -> list[str]:
    return [finding["what"] for finding in said["findings"] if finding["wrong"]]


async def until(kafka: Broker, condition: Callable[[dict[str, Any]], bool], *options: str) -> dict[str, Any]:
    """Asks until the answer is so; gives it. The exit status agrees with it each time."""
    said: dict[str, Any] = {}
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                ended, said = await asyncio.to_thread(status, kafka, *options)
                assert ended == (1 if wrong(said) else 0)
                if condition(said):
                    return said
    except TimeoutError:
        raise AssertionError(said) from None


async def healthy_screen(kafka: Broker) -> str:
    """What is shown on a terminal, as soon as all is well."""
    async with asyncio.timeout(PATIENCE):
        while (shown := await asyncio.to_thread(told, "status", *reached(kafka))).returncode:
            pass
    assert shown.stdout.startswith(f"{APP} is healthy")
    return shown.stdout


def finds(text: str) -> Callable[[dict[str, Any]], bool]:
    return lambda said: any(text in what for what in wrong(said))


def healthy(said: dict[str, Any]) -> bool:
    return bool(said["healthy"])


def all_is_told(said: dict[str, Any]) -> bool:
    """Whether everything has been read, up to the present, and what follows from it has been told."""
    inputs = [(each["unread"], each["behind_seconds"]) for each in said["inputs"] if each["topic"]]
    present = all(unread == 0 and behind is not None and behind < 60 for unread, behind in inputs)
    return present and bool(said["newest_alerts"]) and bool(said["dead_letters_of_last_day"])


def two(kafka: Broker, *options: str) -> list[Mortal]:
    return [live(kafka, *SESSION, "--instance-id", name, *options) for name in ("one", "two")]


async def test_two_workers_that_are_well_and_one_of_them_killed(kafka: Broker) -> None:
    await topics(kafka)
    await kafka.produce(SCANS, [*silent_since(8, PARCELS), (b"x", b"no event")])
    first, second = two(kafka)
    async with alive(first, second):
        await until_all_work([first, second])
        said = await until(kafka, lambda said: healthy(said) and len(said["workers"]) == 2 and all_is_told(said))
        assert sorted(each["instance"] for each in said["workers"]) == ["one", "two"]
        tasks = [task for each in said["workers"] for task in each["tasks"]]
        assert sorted(tasks) == ["orders-0", "orders-1", "shipments-0", "shipments-1"]
        assert len({each["about"]["version"] for each in said["workers"]}) == 1
        assert all(each["about"]["policy"].startswith("default@") for each in said["workers"])
        inputs = {each["topic"]: each for each in said["inputs"] if each["topic"]}
        assert set(inputs) == {"orders", "chats", SCANS}
        assert inputs[SCANS]["held_by"] in {f"{SCANS}-0", f"{SCANS}-1"}
        assert {each["type"] for each in said["newest_alerts"]} == {"parcelwatch.shipment.stalled.v1"}
        (letter,) = said["dead_letters_of_last_day"]
        assert (letter["topic"], letter["count"]) == (f"{SCANS}.dlq", 1)
        for text in (await healthy_screen(kafka), json.dumps(said)):
            assert not any(parcel in text for parcel in await stalled(kafka))
        await first.kill()
        said = await until(kafka, finds("worker one at 127.0.0.1 has been silent for"))
        await kafka.expel(APP, "one")
        said = await until(kafka, lambda said: healthy(said) and len(said["workers"]) == 1)
        assert len(said["workers"][0]["tasks"]) == 4
        await second.stop()
    await kafka.expel(APP)
    said = await until(kafka, finds("no worker runs; the last one told of itself"))


async def test_a_transaction_that_is_left_open_is_named_with_its_producer(kafka: Broker) -> None:
    await topics(kafka)
    async with kafka.transaction("a-producer") as producer:
        await producer.send_and_wait(SCANS, b"undecided", partition=0)
        async with working(kafka) as one:
            await until_all_work([one])
            said = await until(kafka, finds(f"holds {SCANS}-0 at offset 0"))
            (what,) = [what for what in wrong(said) if "transaction" in what]
            assert "(transactional id a-producer)" in what
            (held,) = [each for each in said["held_up"] if each["topic"] == SCANS]
            assert (held["partition"], held["stable"], held["end"]) == (0, 0, 1)
            await producer.abort_transaction()
            await until(kafka, healthy)


async def test_a_worker_that_is_behind_and_what_holds_its_watermark_back(kafka: Broker) -> None:
    await topics(kafka)
    await kafka.produce(SCANS, silent_since(8, PARCELS), partition=0)
    async with working(kafka, "--catch-up", "--catch-up-quiet", "3600", *SESSION) as one:
        await until_all_work([one])
        said = await until(kafka, finds(f"the watermark of {SCANS} stands, 8 days behind: {SCANS}-0 holds it back"))
        assert any("reads the past" in finding["what"] for finding in said["findings"])
        await until(kafka, lambda said: not any(each["unread"] for each in said["inputs"] if each["topic"] == SCANS))
        one.running.send_signal(19)
        await kafka.produce(SCANS, silent_since(7.5, PARCELS), partition=0)
        said = await until(kafka, finds(f"{SCANS} is 8 days behind: 8 records are unread, {SCANS}-0 is the last"))
        said = await until(kafka, finds("has been silent for"))


async def test_topics_that_are_missing_or_other_than_wanted(kafka: Broker) -> None:
    await topics(kafka)
    await kafka.delete_topics(["alerts.platform", "chats"])
    await kafka.create_topics({"chats": 3})
    said = await until(kafka, finds("no worker runs"))
    assert any("topics are missing: alerts.platform" in what for what in wrong(said))
    assert any("orders 2 and chats 3" in what for what in wrong(said))


async def test_workers_that_differ_in_their_policy(kafka: Broker) -> None:
    await topics(kafka)
    first, second = two(kafka)
    second = live(kafka, *SESSION, "--policy", "tmall-2026")
    async with alive(first, second):
        await until_all_work([first, second])
        await until(kafka, finds("workers differ in their policy: default@"))


async def test_applications_are_listed_where_the_one_asked_for_is_not_there(kafka: Broker) -> None:
    await topics(kafka, "--topic-prefix", "v2.")
    ended, said = status(kafka, app="another")
    assert ended == 1
    assert wrong(said) == [f"there is no application another here, but {APP}"]
    assert said["other_applications"] == [APP]
    said = await until(kafka, finds("no worker runs"), "--topic-prefix", "v2.")
    assert wrong(said) == ["no worker runs"]


async def test_the_documented_rights_are_enough(mortal_kafka: Broker) -> None:
    await topics(mortal_kafka)
    await mortal_kafka.produce(SCANS, silent_since(8, PARCELS))
    await run(*worker(mortal_kafka, "2030-01-01T00:00:00Z"))
    assert await stalled(mortal_kafka)
    granted = documented("status", app=APP)
    assert len(granted) > 12
    await grant(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if not by])
    await grant(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if by], prefixed=True)
    options = ("--broker", f"kafka://{mortal_kafka.secured}", "--security-protocol", "SASL_PLAINTEXT",
               "--sasl-username", BOUND, "--app-id", APP)  # fmt: skip
    try:
        ended = told("status", *options, "--format", "json", PARCELWATCH_SASL_PASSWORD=PASSWORD)
    finally:
        await revoke(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if not by])
        await revoke(mortal_kafka.bootstrap, BOUND, [right for right, by in granted if by], prefixed=True)
    assert ended.returncode == 1, ended.stderr
    said = json.loads(ended.stdout)
    assert [what.partition(";")[0] for what in wrong(said)] == ["no worker runs"]
    assert said["newest_alerts"]
    (uncompared,) = [finding["what"] for finding in said["findings"] if "not compared" in finding["what"]]
    assert "DescribeConfigs" in uncompared
    without = told("status", *options, PARCELWATCH_SASL_PASSWORD=PASSWORD)
    assert without.returncode == 2
    assert "the brokers deny" in without.stderr
