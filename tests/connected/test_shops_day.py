"""From a shop's own files to the messages that its people get, as the docs have it: each program is killed on the way.

A platform's export and a table of tickets go through `adapt` and `produce`, kuaidi100's pushes through `ingest`; a
worker reads them, and a notifier tells a receiver. What comes out is what a replay says of the same files, and each
alert is told once.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer

from streams.notify.alert import Alert, read_alert
from streams.rules.alert_types import ALERT_TYPES
from tests.connected.ingesting import Ingest
from tests.connected.marketplace import ALERTS, command, compare, end, progress, run, worker
from tests.connected.mortals import Mortal, at_work, until_true
from tests.connected.pushes import SALT, signature
from tests.connected.shops_day import UNTIL, Push, log_of, pushes, write_tables
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.unit.cli import environment

#: As docs/own-data.md has it.
ADAPTED = """
parcelwatch adapt orders-csv orders.csv --draft-map > orders.toml
parcelwatch adapt orders-csv orders.csv --map orders.toml --shop tea-house --tz Asia/Shanghai > orders.jsonl
parcelwatch adapt tickets-csv tickets.csv --tz Asia/Shanghai > tickets.jsonl
parcelwatch adapt kuaidi100 pushes.log > scans.jsonl
"""
CONFIG = """
wait = "0s"
[channels.erp]
webhook = "{url}/alerts"
[[routes]]
channels = ["erp"]
"""
#: Pushes that are under way at once.
TOGETHER = 4


class Told(NamedTuple):
    """One message that has arrived."""

    id: str
    repeat: bool


class People:
    """A receiver of webhooks, which takes a moment over each."""

    def __init__(self) -> None:
        self.told: list[Told] = []

    async def take(self, request: web.Request) -> web.Response:
        body: dict[str, Any] = await request.json()
        self.told.append(Told(body["id"], body["repeat"]))
        await asyncio.sleep(0.02)
        return web.Response(status=204)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/alerts", self.take)
        async with TestServer(app) as server:
            yield str(server.make_url("")).rstrip("/")


async def shell(script: str, place: Path) -> None:
    """Runs it as somebody types it, in a folder."""
    own = place / "parcelwatch"
    own.write_text(f'#!/bin/sh\nexec {sys.executable} -m streams "$@"\n')
    own.chmod(0o755)
    variables = environment()
    process = await asyncio.create_subprocess_exec(
        "bash", "-eu", "-c", script, cwd=place, env={**variables, "PATH": f"{place}:{variables['PATH']}"},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE):
        _, error = await process.communicate()
    assert process.returncode == 0, error.decode()


async def records(kafka: Broker, *topics: str) -> int:
    """How many there are."""
    return sum([sum((await kafka.end_offsets(topic)).values()) for topic in topics])


async def produce_killed_once(kafka: Broker, files: Sequence[str]) -> None:
    """Sends the orders and the tickets, is killed while it does, and is started again from the beginning."""
    broker = "--broker", f"kafka://{kafka.bootstrap}"
    first = await command("produce", *files, *broker, "--speed", "3600")
    try:

        async def some_are_there() -> bool:
            return await records(kafka, "orders") >= 20

        await until_true(some_are_there)
    finally:
        await end(first)
    assert first.returncode == -signal.SIGKILL
    sent = await records(kafka, "orders", "chats")
    await run("produce", *files, *broker)
    # It was killed in its middle, and sent again what it had sent.
    assert await records(kafka, "orders", "chats") > 2 * sent


async def push(ingest: Ingest, session: ClientSession, one: Push) -> int:
    """Sends a push until it is taken, as its sender does; how often it had to be sent."""
    form = {"param": one.param, "sign": signature(one.param, SALT)}
    tries = 0

    async def taken() -> bool:
        nonlocal tries
        tries += 1
        try:
            async with session.post(f"{ingest.url}/push/kuaidi100", data=form) as answer:
                return answer.status == 200
        except ClientError:
            return False

    await until_true(taken)
    return tries


async def push_all(ingest: Ingest, session: ClientSession, sent: Sequence[Push], pause: float = 0.0) -> None:
    """In their order, some at once; with so many seconds between them."""
    for begin in range(0, len(sent), TOGETHER):
        await asyncio.gather(*(push(ingest, session, one) for one in sent[begin : begin + TOGETHER]))
        await asyncio.sleep(pause)


async def push_through_a_kill(ingest: Ingest, session: ClientSession, sent: Sequence[Push], kafka: Broker) -> None:
    """Kills the ingest while pushes come, and starts it again."""
    there = await records(kafka, "logistics-scans")
    pushing = asyncio.create_task(push_all(ingest, session, sent, pause=0.3))
    try:

        async def some_have_come() -> bool:
            return await records(kafka, "logistics-scans") > there + len(sent) // 2

        await until_true(some_have_come)
        assert not pushing.done()
        await end(ingest.running)
        await ingest.start()
    finally:
        await pushing


def alerts_of(out: Path) -> list[Alert]:
    """What the replay has put out, by time."""
    lines = [line for topic in ALERTS for line in (out / f"{topic}.jsonl").read_bytes().splitlines()]
    return sorted(map(read_alert, lines), key=lambda alert: alert.time)


def has_to_be_told(alerts: Sequence[Alert]) -> set[str]:
    """Those that nothing excuses: they are not over, and none that is about the same thing says more."""
    over = {alert.key for alert in alerts if not alert.raised}
    opened = [alert for alert in alerts if alert.raised and alert.key not in over]
    greater = {
        (alert.key.audience, alert.key.subject, lesser)
        for alert in opened
        for lesser in ALERT_TYPES[alert.key.type].supersedes
    }
    return {one.id for one in opened if (one.key.audience, one.key.subject, one.key.type) not in greater}


def judge(people: People, alerts: Sequence[Alert], kills: int) -> None:
    """Nothing is lost, nothing is made up, and nothing is said twice but what was under way at a kill, marked."""
    known, counts = {alert.id: alert for alert in alerts}, Counter(one.id for one in people.told)
    assert counts.keys() <= known.keys()
    assert has_to_be_told(alerts) <= counts.keys()
    begun = {known[each].key for each in counts if known[each].raised}
    assert {known[each].key for each in counts if not known[each].raised} <= begun
    first: set[str] = set()
    for one in people.told:
        assert one.id not in first or one.repeat, one
        first.add(one.id)
    assert counts.total() - len(counts) <= kills


async def test_a_shops_day_becomes_messages_and_no_kill_loses_or_repeats_any(kafka: Broker, tmp_path: Path) -> None:
    broker = f"kafka://{kafka.bootstrap}"
    write_tables(tmp_path)
    sent = pushes()
    (tmp_path / "pushes.log").write_text(log_of(sent))
    await shell(ADAPTED, tmp_path)
    await run("topics", "--broker", broker, "--app-id", "pw", "--replication-factor", "1",
              "--order-partitions", "2", "--scan-partitions", "2")  # fmt: skip
    people, config = People(), tmp_path / "notify.toml"
    watching = Mortal("worker", "--broker", broker, "--app-id", "pw", "--clock", "stream", "--session-timeout", "3",
                      "--commit-interval", "0.2")  # fmt: skip
    telling = Mortal("notify", "--broker", broker, "--app-id", "pw", "--config", str(config), "--session-timeout", "20",
                     "--offset-reset", "earliest")  # fmt: skip
    ingest = Ingest(kafka.bootstrap)
    started = [watching, telling]
    async with people.listening() as url, ClientSession(timeout=ClientTimeout(total=PATIENCE)) as session:
        config.write_text(CONFIG.format(url=url))
        try:
            for each in started:
                await each.start()
            await ingest.start()
            files = [str(tmp_path / f"{name}.jsonl") for name in ("orders", "tickets", "scans")]
            await produce_killed_once(kafka, files[:2])
            await ingest.ready(session)
            half = len(sent) // 2
            await push_through_a_kill(ingest, session, sent[:half], kafka)
            await killed_at_work(watching, kafka)
            await push_all(ingest, session, sent[half:])
            await at_work([watching])
            await watching.stop()
            # What is due after the last event is raised now.
            await asyncio.gather(run(*worker(kafka, UNTIL)), killed_while_telling(telling, people))
            await run("replay", *files, "--until", UNTIL, "--out", str(tmp_path / "out"))
            alerts = alerts_of(tmp_path / "out")

            async def all_are_told() -> bool:
                assert telling.running.returncode is None
                return has_to_be_told(alerts) <= {one.id for one in people.told}

            await until_true(all_are_told)
            await until_true(telling.works)
            await telling.stop()
        finally:
            for process in [each.running for each in started if hasattr(each, "running")]:
                await end(process)
            await end(ingest.running)
    await compare(kafka, tmp_path / "out")
    judge(people, alerts, kills=1)


async def killed_at_work(watching: Mortal, kafka: Broker) -> None:
    """Kills the worker once it has read something, and starts it again."""

    async def has_read() -> bool:
        return await watching.works() and await progress(kafka) > 0

    await until_true(has_read)
    await watching.kill()
    await watching.start()


async def killed_while_telling(telling: Mortal, people: People) -> None:
    """Kills the notifier once it has told something, and starts it again."""

    async def tells() -> bool:
        return len(people.told) >= 5

    await until_true(tells)
    await telling.kill()
    await telling.start()
