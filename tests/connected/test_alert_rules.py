"""Each rule for Prometheus fires by its fault on real workers, a real Kafka and a real Prometheus, and clears after it.

Several applications run side by side on one Kafka, each scraped as a job of its own, so that faults do not wait for one
another. Prometheus has a copy of the rules in which a minute is two seconds (`hasty_rules`).
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from schemas.times import DAY, HOUR
from streams.engine.clock import system_now
from tests.connected.faults import Course, Worker, completed, ended, make_topics, scans, writing
from tests.connected.hasty_rules import FOLDER, hasty_files
from tests.connected.marketplace import end, said, saying
from tests.connected.mortals import alive, until_true
from tests.connected.outer_faults import (
    Certified,
    Ingest,
    Notifier,
    certificate_expires,
    dead_channel,
    refusing_ingest,
)
from tests.connected.prometheus import INSTALLED, INTERVAL, LEFT_OUT, Prometheus, prometheus
from tests.kafka_broker import Broker, own
from tests.patience import LONG_SESSION, PATIENCE

if not INSTALLED:
    pytest.skip(LEFT_OUT, allow_module_level=True)

SCANS = "logistics-scans"
#: Seconds between two scrapes, and restarts of a worker that are too many.
SCRAPING, RESTARTS = 3, 5
FULL_DISK = "no file system of its own can be made here: the alerts of a full disk are left out"


# -- two workers that are killed, told nonsense, and given different policies


async def pair(
    kafka: Broker, server: Prometheus, course: Course, one: Worker, other: Worker, disk: Path | None
) -> None:
    await until_true(one.works)
    await until_true(other.works)
    policy = one.arguments[-1]
    faults = [dead_letters(kafka, course), late(kafka, course)]
    if disk is not None:
        faults.append(full_disk(server, course, disk))
    await asyncio.gather(*faults, versions(course, other, policy))
    # Its tasks wait for it: it is a static member.
    await other.kill()
    await course.fires("ParcelwatchTasksMissing", job="parcelwatch-pair")
    await other.start()
    await course.clears("ParcelwatchTasksMissing")


async def versions(course: Course, other: Worker, policy: str) -> None:
    await course.fires("ParcelwatchVersionsDiffer", job="parcelwatch-pair")
    await other.again("--policy", policy)
    await course.clears("ParcelwatchVersionsDiffer")


async def dead_letters(kafka: Broker, course: Course) -> None:
    async with writing(kafka, "pair-orders"):
        await course.fires("ParcelwatchDeadLetters", topic="pair-orders")
    await course.clears("ParcelwatchDeadLetters")


async def late(kafka: Broker, course: Course) -> None:
    def more() -> list[tuple[bytes, bytes]]:
        return scans(f"L{system_now()}-", [system_now() - 3 * DAY] * 60)

    async with writing(kafka, f"pair-{SCANS}", more):
        await course.fires("ParcelwatchEventsLate", topic=f"pair-{SCANS}")
    await course.clears("ParcelwatchEventsLate")


async def full_disk(server: Prometheus, course: Course, disk: Path) -> None:
    ballast = disk / "ballast"
    size = shutil.disk_usage(disk).total
    ballast.write_bytes(bytes(int(size * 0.5)))
    seen = "min(parcelwatch_state_dir_free_bytes / parcelwatch_state_dir_size_bytes)"
    await server.until(seen, lambda found: bool(found) and found[0][1] < 0.6)
    ballast.write_bytes(bytes(int(shutil.disk_usage(disk).free * 0.75 + ballast.stat().st_size * 0.75)))
    await course.fires("ParcelwatchDiskFilling", job="parcelwatch-pair")
    with ballast.open("ab") as more:
        more.write(bytes(int(shutil.disk_usage(disk).free - size * 0.03)))
    await course.fires("ParcelwatchDiskFull", job="parcelwatch-pair")
    ballast.unlink()
    await asyncio.gather(course.clears("ParcelwatchDiskFull"), course.clears("ParcelwatchDiskFilling"))


# -- a worker that is killed again and again


async def loop(server: Prometheus, course: Course, one: Worker) -> None:
    job = {"job": "parcelwatch-loop"}

    async def has_begun() -> bool:
        return await one.told("parcelwatch_commits_total") > 0

    await one.start()
    await until_true(has_begun)
    await one.kill()
    await asyncio.gather(*(course.fires(f"Parcelwatch{name}", **job) for name in ("Down", "WorkerDown")))
    while not await server.firing("ParcelwatchWorkerRestarts", **job):
        await restarted_often(server, one)
        await asyncio.sleep(2 * INTERVAL)  # the rules are evaluated
    await course.fires("ParcelwatchWorkerRestarts", **job)
    one.fault = None
    await one.start()


async def restarted_often(server: Prometheus, one: Worker) -> None:
    """Kills it as soon as Prometheus has seen it, and starts it again. Whoever comes next stands ready: so it is
    Prometheus that says how soon restarts follow one another, not this machine."""
    one.fault = "start"
    ready = []
    try:
        for _ in range(RESTARTS):
            await one.start()
            ready.append(one.running)
            await saying(one.running, "waiting to be let go")
        for one.running in ready:
            before = await started(server)
            one.running.send_signal(signal.SIGUSR2)
            async with asyncio.timeout(PATIENCE):
                while await started(server) == before:
                    assert one.running.returncode is None, await said(one.running)
                    await asyncio.sleep(0.2)
            await one.kill()
    finally:
        for process in ready:
            await end(process)


async def started(server: Prometheus) -> list[float]:
    """When the worker was started, as Prometheus has seen it last."""
    seen = 'last_over_time(process_start_time_seconds{job="parcelwatch-loop"}[5m])'
    return [value for _, value in await server.query(seen)]


# -- an open transaction, and records that are gone


async def held(kafka: Broker, course: Course, one: Worker) -> None:
    topic, job = f"held-{SCANS}", {"job": "parcelwatch-held"}
    await kafka.produce(topic, scans("P", [system_now() - 5 * DAY] * 20))
    async with kafka.transaction("a-producer") as producer:
        await producer.send_and_wait(topic, b"undecided", partition=0)
        await kafka.produce(topic, scans("Q", [system_now() - 4 * DAY] * 20))
        await one.start()
        names = ("OpenTransaction", "NoProgress", "LagGrows")
        await asyncio.gather(
            *(course.fires(f"Parcelwatch{name}", **job) for name in names),
            course.fires("ParcelwatchWatermarkStands", holder=f"{topic}-0"),
        )
        await producer.abort_transaction()
    await asyncio.gather(*(course.clears(f"Parcelwatch{name}") for name in (*names, "WatermarkStands")))
    await one.stop()
    await kafka.produce(topic, scans("R", [system_now() - DAY] * 20))
    end = (await kafka.end_offsets(topic))[0]
    await kafka.delete_records(topic, end - 5)
    one.arguments += ["--on-lost-offsets", "continue"]
    await one.start()
    await course.fires("ParcelwatchRecordsLost", topic=topic)
    await course.clears("ParcelwatchRecordsLost")


# -- a standby that does not follow, a clock that is wrong, a restore that stands


async def behind(kafka: Broker, course: Course, one: Worker, other: Worker) -> None:
    one.fault, other.fault = "standbys", "clock"
    await one.start()
    await other.start()
    await until_true(one.works)
    await until_true(other.works)
    await kafka.produce("behind-orders", completed(12_000))
    await kafka.produce(f"behind-{SCANS}", scans("P", [system_now()] * 12_000))
    await asyncio.gather(
        course.fires("ParcelwatchStandbyBehind", job="parcelwatch-behind"),
        course.fires("ParcelwatchClockSkew", job="parcelwatch-behind"),
    )
    one.running.send_signal(signal.SIGUSR2)
    await course.clears("ParcelwatchStandbyBehind")
    other.fault = None
    # One of the two loses its tasks and gets others, within seconds.
    names = ("ParcelwatchRebalances", "ParcelwatchRestoreLoop")
    await asyncio.gather(other.again(), *(course.fires(name, job="parcelwatch-behind") for name in names))
    await course.clears("ParcelwatchClockSkew")
    await other.stop()
    await one.stop()
    one.fault = "restores"
    await one.start()
    await course.fires("ParcelwatchRestoreStands", job="parcelwatch-behind")
    one.running.send_signal(signal.SIGUSR2)
    await course.clears("ParcelwatchRestoreStands")
    await other.start()


# -- a carrier that is silent, and fetches that fail


async def silent_carrier(kafka: Broker, course: Course, one: Worker) -> None:
    """The scans of another carrier are the clock: a silence is judged by the hour."""
    now, topic = system_now(), f"feed-{SCANS}"
    usual = [now - hours * HOUR - part for hours in range(9 * 24, 12, -1) for part in (0, HOUR // 2)]
    await kafka.produce(topic, scans("F", usual, "FEED") + scans("A", [now]))
    await one.start()
    await course.fires("ParcelwatchCarrierSilent", carrier="FEED")
    await kafka.produce(topic, scans("R", [now + HOUR], "FEED") + scans("B", [now + 4 * HOUR]))
    await course.clears("ParcelwatchCarrierSilent")
    await one.stop()
    one.fault = "fetches"
    await one.start()
    await course.fires("ParcelwatchFetchesFail", job="parcelwatch-feed")
    one.running.send_signal(signal.SIGUSR2)
    await course.clears("ParcelwatchFetchesFail")


# -- commits that take long or fail, and brokers that are away


async def slow(kafka: Broker, course: Course, one: Worker, ingest: Ingest) -> None:
    refusing = asyncio.create_task(refusing_ingest(course, ingest))
    one.fault = "commits"
    await one.start()
    await until_true(one.works)
    async with writing(kafka, "slow-orders"):
        await course.fires("ParcelwatchCommitsSlow", job="parcelwatch-slow")
        one.running.send_signal(signal.SIGUSR2)
        await course.clears("ParcelwatchCommitsSlow")
        await one.stop()
        one.fault = "refusals"
        await one.start()
        await course.fires("ParcelwatchCommitsFail", job="parcelwatch-slow")
        one.running.send_signal(signal.SIGUSR2)
        await course.clears("ParcelwatchCommitsFail")
    await until_true(one.works)
    await refusing
    async with ingest.pushed_to():
        await kafka.kill()
        await asyncio.gather(
            course.fires("ParcelwatchNotReady", job="parcelwatch-slow"),
            course.fires("ParcelwatchIngestFails", job="ingest"),
        )
        await kafka.start()
        await asyncio.gather(course.clears("ParcelwatchNotReady"), course.clears("ParcelwatchIngestFails"))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A file system of 64 MiB, if this user may mount one."""
    place = folder / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    may = os.getuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield place if may else None
    finally:
        if may:
            subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
async def fleeting_kafka(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker of its own, for who has to do without one for a while."""
    broker = own(tmp_path / "fleeting")
    try:
        await broker.start()
        yield broker
    finally:
        broker.remove()


async def test_each_rule_fires_by_its_fault_and_clears_after_it(
    kafka: Broker, fleeting_kafka: Broker, tmp_path: Path
) -> None:
    policies = [tmp_path / f"{name}.toml" for name in ("new", "old")]
    for policy in policies:
        policy.write_text(f'extends = "default"\nname = "{policy.stem}"\n[feed_silence]\nmin_scans = 2\n')
    for app, partitions in {"pair": 2, "held": 1, "behind": 1, "feed": 1, "loop": 1, "tell": 1}.items():
        await make_topics(kafka, app, partitions)
    await make_topics(fleeting_kafka, "slow")
    await fleeting_kafka.create_topics({"slow-ingest.dlq": 1})
    async with AsyncExitStack() as stack:
        disk = stack.enter_context(small_disk(tmp_path))
        state = () if disk is None else ("--store", "rocksdict", "--state-dir", str(disk / "state"))
        static = ("--session-timeout", str(LONG_SESSION), "--policy")
        pairs = [
            Worker(kafka, "pair", "--instance-id", "one", *state, *static, str(policies[0])),
            Worker(kafka, "pair", "--instance-id", "other", *static, str(policies[1])),
        ]
        held_up = Worker(kafka, "held")
        followed = [Worker(kafka, "behind", "--standbys", "1", *static[:2]) for _ in range(2)]
        fed = Worker(kafka, "feed", "--clock", "stream", "--policy", str(policies[0]))
        killed, slowed = Worker(kafka, "loop"), Worker(fleeting_kafka, "slow")
        telling = Notifier(kafka, "tell", tmp_path)
        taking = Ingest(fleeting_kafka, "slow")
        certified = Certified(tmp_path)
        targets = {
            "parcelwatch-pair": [each.port for each in pairs],
            "parcelwatch-held": [held_up.port],
            "parcelwatch-behind": [each.port for each in followed],
            "parcelwatch-feed": [fed.port],
            "parcelwatch-loop": [killed.port],
            "parcelwatch-slow": [slowed.port],
            "parcelwatch-tell": [telling.port],
            "ingest": [taking.port],
            "certified": [certified.port],
        }
        await stack.enter_async_context(alive(*pairs))
        server = await stack.enter_async_context(
            prometheus(tmp_path, targets, hasty_files(tmp_path), scraping=SCRAPING)
        )
        for each in (held_up, *followed, fed, killed, slowed, telling, taking, certified):
            stack.push_async_callback(ended, each)
        course = Course(server)
        await asyncio.gather(
            pair(kafka, server, course, *pairs, disk),
            held(kafka, course, held_up),
            behind(kafka, course, *followed),
            silent_carrier(kafka, course, fed),
            loop(server, course, killed),
            slow(fleeting_kafka, course, slowed, taking),
            dead_channel(kafka, course, telling),
            certificate_expires(course, certified),
        )
        killed_often = ("WorkerDown", "Down", "WorkerRestarts", "Rebalances", "RestoreLoop")
        await asyncio.gather(*(course.clears(f"Parcelwatch{name}") for name in killed_often))
    rules = {rule["alert"] for group in yaml.safe_load((FOLDER / "alert-rules.yml").read_text())["groups"]
             for rule in group["rules"]}  # fmt: skip
    left_out = {"ParcelwatchDiskFilling", "ParcelwatchDiskFull"} if disk is None else set()
    assert course.fired.keys() == course.cleared.keys() == rules - left_out
    if left_out:
        pytest.skip(FULL_DISK)
