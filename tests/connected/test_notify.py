"""Notifiers as processes on a real Kafka, and a receiver that fails, hangs and is slow: each alert is told once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.times import HOUR, parse, render
from schemas.topics import PLAIN
from streams.notify.kafka_alerts import retained_alerts
from tests.connected.documented_rights import documented
from tests.connected.mortals import Mortal, until_true
from tests.kafka_broker import Broker
from tests.kafka_broker.acls import grant, revoke
from tests.kafka_broker.broker import BOUND, PASSWORD

T0 = parse("2026-11-03T02:00:00Z")
SECRET = "whsec_c2VjcmV0LW9mLXRlc3Rz"  # noqa: S105
SUBJECTS = 20
KILLS = 2

FILE = """\
wait = "0s"

[channels.shaky]
webhook = "{url}/shaky?key=${{KEY}}"
secret = "${{SECRET}}"
timeout = "15s"

[channels.steady]
webhook = "{url}/steady"

[[routes]]
channels = ["shaky", "steady"]
"""


class Taken(NamedTuple):
    """What the receiver has taken, whether it has said so or not."""

    channel: str
    id: str
    repeat: bool
    subject: str
    status: str


class Receiver:
    """Takes what `/steady` gets. Of what `/shaky` gets it refuses some, and takes some without an answer."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.hung = 0
        self._asked = 0
        self._ended = asyncio.Event()

    async def take(self, request: web.Request) -> web.Response:
        body, channel = await request.json(), request.match_info["channel"]
        assert request.headers["Idempotency-Key"] == body["id"]
        if channel == "shaky":
            self._asked += 1
            if self._asked % 13 == 5:
                return web.Response(status=500)
            if self._asked % 13 == 9:
                return web.Response(status=429, headers={"Retry-After": "0"})
        (one,) = body["alerts"]
        self.taken.append(Taken(channel, body["id"], body["repeat"], one["subject"], one["status"]))
        if channel == "shaky" and self._asked % 29 == 11:
            self.hung += 1
            await self._ended.wait()
        return web.Response(status=204)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/{channel}", self.take)
        async with TestServer(app) as server:
            try:
                yield str(server.make_url("")).rstrip("/")
            finally:
                self._ended.set()

    def ids(self, channel: str) -> set[str]:
        return {one.id for one in self.taken if one.channel == channel}


def event(number: int, status: str) -> tuple[bytes, bytes]:
    subject = f"P{number}"
    value = {
        "id": f"{subject}-{status}", "type": "parcelwatch.shipment.slow.v1", "subject": subject,
        "time": render(T0 if status == "raised" else T0 + HOUR),
        "data": {"status": status, "severity": "warning", "audience": "merchant", "episode": subject,
                 "shop_id": f"shop-{number % 5}", "resolution": None if status == "raised" else "resumed",
                 "message": {"en": f"{subject} is {status}."}},
    }  # fmt: skip
    return value["data"]["shop_id"].encode(), orjson.dumps(value)  # type: ignore[index]


def notifier(address: str, config: Path, *options: str, **variables: str) -> Mortal:
    return Mortal(
        "notify", *options, "--broker", f"kafka://{address}", "--config", str(config), "--offset-reset", "earliest",
        "--session-timeout", "20", KEY="k", SECRET=SECRET, **variables,
    )  # fmt: skip


async def test_each_alert_is_told_once_through_kills_and_a_receiver_that_fails(kafka: Broker, tmp_path: Path) -> None:
    await kafka.create_topics({"alerts.merchant": 2, "alerts.platform": 1})
    receiver, config = Receiver(), tmp_path / "notify.toml"
    async with receiver.serving() as url:
        config.write_text(FILE.format(url=url))
        both = [notifier(kafka.bootstrap, config), notifier(kafka.bootstrap, config)]
        try:
            for each in both:
                await each.start()
            for status, expected in (("raised", SUBJECTS), ("resolved", 2 * SUBJECTS)):
                await kafka.produce("alerts.merchant", [event(number, status) for number in range(SUBJECTS)])
                await kill_the_leader(both, receiver, len(receiver.taken) + SUBJECTS // 2)

                async def all_told(count: int = expected) -> bool:
                    return all(len(receiver.ids(channel)) == count for channel in ("shaky", "steady"))

                await until_true(all_told)
            for each in both:
                await each.stop()
        finally:
            for each in both:
                if each.running.returncode is None:
                    await each.kill()
    judge(receiver)
    alerts = await retained_alerts(kafka.bootstrap, PLAIN, {})
    assert len(alerts) == 2 * SUBJECTS


async def kill_the_leader(both: list[Mortal], receiver: Receiver, once_taken: int) -> None:
    """In the middle of its work, and starts it again."""

    leaders: list[Mortal] = []

    async def halfway() -> bool:
        # One that has to give its place up may lead for a moment more, until it hears of its last messages.
        leaders[:] = [each for each in both if await each.told("parcelwatch_notify_leading") != 0]
        return len(receiver.taken) >= once_taken and len(leaders) == 1

    await until_true(halfway)
    (leader,) = leaders
    await leader.kill()
    await leader.start()


def judge(receiver: Receiver) -> None:
    """Nothing came twice but around a kill or a silence, and then under the same key, marked; a subject's in order."""
    expected = {f"P{number}-{status}" for number in range(SUBJECTS) for status in ("raised", "resolved")}
    for channel in ("shaky", "steady"):
        taken = [one for one in receiver.taken if one.channel == channel]
        assert {one.id for one in taken} == expected
        first = {}
        for number, one in enumerate(taken):
            if one.id in first:
                assert one.repeat, one
            first.setdefault(one.id, number)
        for number in range(SUBJECTS):
            assert first[f"P{number}-raised"] < first[f"P{number}-resolved"]
        repeats = sum(Counter(one.id for one in taken).values()) - len(expected)
        assert repeats <= KILLS + (receiver.hung if channel == "shaky" else 0)


async def test_the_documented_rights_are_enough(mortal_kafka: Broker, tmp_path: Path) -> None:
    await mortal_kafka.create_topics({"alerts.merchant": 2, "alerts.platform": 1})
    await mortal_kafka.produce("alerts.merchant", [event(1, "raised")])
    rights = [right for right, _ in documented("notify", app="parcelwatch")]
    await grant(mortal_kafka.bootstrap, BOUND, rights)
    receiver, config = Receiver(), tmp_path / "notify.toml"
    async with receiver.serving() as url:
        config.write_text(FILE.format(url=url))
        who = ("--security-protocol", "SASL_PLAINTEXT", "--sasl-username", BOUND)
        one = notifier(mortal_kafka.secured, config, *who, PARCELWATCH_SASL_PASSWORD=PASSWORD)
        try:
            await one.start()

            async def told() -> bool:
                assert one.running.returncode is None
                return receiver.ids("steady") == {"P1-raised"}

            await until_true(told)
            await one.stop()
        finally:
            if one.running.returncode is None:
                await one.kill()
            await revoke(mortal_kafka.bootstrap, BOUND, rights)
