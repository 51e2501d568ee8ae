"""Three brokers that want to know who comes: everybody with the documented rights alone, by certificates and by SCRAM.

What they are known by is renewed, taken away and given back while they run, and a broker is lost.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.connected.documented_rights import documented
from tests.connected.ingesting import Ingest
from tests.connected.marketplace import (
    ALERTS,
    APP,
    Produced,
    end,
    generated,
    heard_of,
    progress,
    run,
    said,
    some_days_after,
    valid,
)
from tests.connected.mortals import Mortal, alive, until_true
from tests.kafka_broker.acls import grant, revoke
from tests.kafka_broker.certificates import AUTHORITY, CERTIFICATE, KEY, Authority, Secret
from tests.kafka_broker.scram import remove_user, set_password
from tests.kafka_broker.secured import MTLS, SCRAM, SecuredCluster
from tests.unit.cli import run as told

#: The users, and the parts of the page for operators that grant them what they need.
USERS = {
    "maker": ("topics",),
    "worker": ("smallest",),
    "producer": ("produce",),
    "pusher": ("produce", "ingest"),
    "notifier": ("notify",),
    "watcher": ("status",),
}
CONFIG = """
wait = "0s"
[channels.steady]
webhook = "{url}"
[[routes]]
channels = ["steady"]
"""
PASSWORD = "for tests only"  # noqa: S105


class Ways:
    """How a user comes to the cluster: the options of a command, by certificate or by SCRAM, from files in a folder."""

    def __init__(self, cluster: SecuredCluster, folder: Path) -> None:
        self.cluster = cluster
        self.secrets: dict[str, Secret] = {}
        self._folder = folder
        self._authority = folder / "authority.pem"
        self._authority.write_text(cluster.authority.pem)

    def certificate(self, user: str, seconds: float = 86_400.0) -> dict[str, str]:
        certificate, key = self.cluster.authority.issue(user, seconds)
        return {CERTIFICATE: certificate, KEY: key, AUTHORITY: self.cluster.authority.pem}

    def mtls(self, user: str) -> tuple[str, ...]:
        if (secret := self.secrets.get(user)) is None:
            secret = self.secrets[user] = Secret(self._folder / user, self.certificate(user))
        files = (
            "--ssl-cafile",
            secret / AUTHORITY,
            "--ssl-certfile",
            secret / CERTIFICATE,
            "--ssl-keyfile",
            secret / KEY,
        )
        return ("--broker", f"kafka://{self.cluster.at[MTLS]}", "--security-protocol", "SSL", *files)

    def scram(self, user: str, mechanism: str = "SCRAM-SHA-512") -> tuple[str, ...]:
        self.password(user).write_text(f"{PASSWORD}\n")
        return (
            "--broker", f"kafka://{self.cluster.at[SCRAM]}", "--security-protocol", "SASL_SSL",
            "--ssl-cafile", str(self._authority), "--sasl-mechanism", mechanism, "--sasl-username", user,
            "--sasl-password-file", str(self.password(user)),
        )  # fmt: skip

    def password(self, user: str) -> Path:
        return self._folder / f"{user}.password"

    def cut(self, way: str) -> None:
        """Ends all connections."""
        for each in self.cluster.forwarders[way]:
            each.cut()


@pytest.fixture
async def ways(tmp_path: Path) -> AsyncIterator[Ways]:
    """The cluster, with all users and their documented rights, and the topics."""
    folder = tmp_path / "secured"
    folder.mkdir()
    async with SecuredCluster(folder / "kafka").running() as cluster:
        for user, parts in USERS.items():
            for prefixed in (False, True):
                rights = [right for right, by in documented(*parts, app=APP) if by is prefixed]
                if rights:
                    await grant(cluster.bootstrap, user, rights, prefixed)
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                await set_password(cluster.bootstrap, user, mechanism, PASSWORD)
        found = Ways(cluster, folder)
        few = ("--app-id", APP, "--order-partitions", "2", "--scan-partitions", "2")
        # The first creates them, the second finds that they are as they should be.
        await run("topics", *found.mtls("maker"), *few)
        await run("topics", *found.scram("maker"), *few)
        yield found


def working(*who: str) -> Mortal:
    return Mortal("worker", *who, "--app-id", APP, "--commit-interval", "0.2", "--session-timeout", "6")


async def until_refused(worker: Mortal, *texts: str) -> None:
    """Waits until it says that it is not ready, for its credentials, and names all of that."""

    async def told() -> bool:
        why = (await worker.reasons()).get("credentials", "")
        return all(text in why for text in texts)

    await until_true(told)


async def until_read(ways: Ways, count: int) -> None:
    async def read() -> bool:
        return await progress(ways.cluster) >= count

    await until_true(read)


async def some(ways: Ways, count: int = 3) -> None:
    """Some more records, and the worker reads them."""
    before = await progress(ways.cluster)
    await ways.cluster.produce("orders", [(b"?", b"no event")] * count)
    await until_read(ways, before + count)


async def all_do_their_work_with_the_documented_rights_through_the_loss_of_a_broker(ways: Ways, tmp_path: Path) -> None:
    cluster = ways.cluster
    events = valid(generated(days=1))
    halves = [events[: len(events) // 2], events[len(events) // 2 :]]
    received: list[str] = []
    config = tmp_path / "notify.toml"
    clock = ("--clock", some_days_after(events))
    workers = [Mortal("worker", *who, "--app-id", APP, *clock) for who in (ways.mtls("worker"), ways.scram("worker"))]
    pushers = (ways.mtls("pusher"), ways.scram("pusher", "SCRAM-SHA-256"))
    ingests = [Ingest(cluster.bootstrap, *who) for who in pushers]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(receiver(received)))
        config.write_text(CONFIG.format(url=server.make_url("/")))
        notifiers = [
            Mortal("notify", *who, "--app-id", APP, "--config", str(config), "--offset-reset", "earliest")
            for who in (ways.mtls("notifier"), ways.scram("notifier"))
        ]
        await stack.enter_async_context(alive(*workers, *notifiers))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        for each in ingests:
            await each.start()
            stack.push_async_callback(end, each.running)
        await run("produce", write(tmp_path / "first.jsonl", halves[0]), *ways.mtls("producer"))
        for one in ingests:
            await one.ready(session)
            assert (await one.push(session, "FIRST"))[0] == 200
        await cluster.nodes[2].kill()
        await run("produce", write(tmp_path / "second.jsonl", halves[1]), *ways.scram("producer"))
        for number, one in enumerate(ingests):

            async def taken(one: Ingest = one, number: int = number) -> bool:
                return (await one.push(session, f"SECOND-{number}"))[0] == 200

            await until_true(taken)
        await until_read(ways, len(events) + 8)
        alerts = sum([len(await cluster.read_committed(topic)) for topic in ALERTS])
        assert alerts

        async def all_read() -> bool:
            # Of those that are over already, or that another one says more than, nobody is told.
            for each in notifiers:
                assert each.running.returncode is None, await said(each.running)
            return sum([await each.told("parcelwatch_notify_alerts_total") for each in notifiers]) >= alerts

        async def told_of() -> bool:
            return bool(received)

        await until_true(all_read)
        await until_true(told_of)
        for who in (ways.mtls("watcher"), ways.scram("watcher", "SCRAM-SHA-256")):
            await check_status(*who)
        for each in (*workers, *notifiers):
            await each.stop()
    await cluster.heal()


def receiver(received: list[str]) -> web.Application:
    """Takes what it is told."""

    async def take(request: web.Request) -> web.Response:
        received.append((await request.json())["id"])
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    return app


async def check_status(*who: str) -> None:
    """It sees the workers, and lacks no right."""
    ended = await asyncio.to_thread(told, "status", *who, "--app-id", APP, "--format", "json")
    assert ended.returncode in {0, 1}, ended.stderr
    said_ = json.loads(ended.stdout)
    assert len(said_["workers"]) == 2
    assert "deny" not in ended.stdout


def write(file: Path, events: Produced) -> str:
    with file.open("wb") as out:
        out.writelines(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, _, value in events)
    return str(file)


async def certificates_are_renewed_while_a_worker_runs(ways: Ways) -> None:
    worker = working(*ways.mtls("worker"))
    secret = ways.secrets["worker"]
    async with alive(worker):
        await until_true(worker.works)
        secret.hold(ways.certificate("worker", 300))

        async def is_told() -> bool:
            ended = await asyncio.to_thread(told, "status", *ways.mtls("watcher"), "--app-id", APP)
            return re.search(r"a certificate of worker \S+ expires in \d min: client", ended.stdout) is not None

        await until_true(is_told)
        # The renewal comes too late.
        secret.hold(ways.certificate("worker", -60))
        ways.cut(MTLS)
        await until_refused(worker, "the client certificate CN=worker", "which expired at")
        secret.hold(ways.certificate("worker"))
        await until_true(worker.works)
        await some(ways)

        # The brokers go over to another authority, one by one.
        other, former = Authority(), ways.cluster.authority
        own = ways.certificate("worker")
        secret.hold({**own, AUTHORITY: former.pem + other.pem})
        await ways.cluster.renew(1, MTLS, *other.issue("broker"))
        ways.cut(MTLS)
        await some(ways)
        for number in (2, 3):
            await ways.cluster.renew(number, MTLS, *other.issue("broker"))
        secret.hold({**own, AUTHORITY: other.pem})
        ways.cut(MTLS)
        await until_true(worker.works)
        await some(ways)
        for number in (2, 3):
            await ways.cluster.renew(number, MTLS, *former.issue("broker"))
        await ways.cluster.renew(1, MTLS, *other.issue("broker", -60))
        secret.hold({**own, AUTHORITY: former.pem + other.pem})
        ways.cut(MTLS)
        at = ways.cluster.at[MTLS].split(",")[0]
        await until_refused(worker, f"the broker at {at} ", "the broker's certificate: certificate has expired")
        await ways.cluster.renew(1, MTLS, *former.issue("broker"))
        await until_true(worker.works)
        await some(ways)

        # A right is taken away from the name in the certificate.
        (right,) = [each for each, _ in documented("smallest", app=APP) if each.resource == "group"]
        await revoke(ways.cluster.bootstrap, "worker", [right])
        heard = await said(worker.running)
        await grant(ways.cluster.bootstrap, "worker", [right])
    assert worker.running.returncode == 2
    (last,) = [line for line in heard.splitlines() if line.startswith("parcelwatch: ")]
    assert f"the brokers deny {right}" in last
    assert heard.count("certificates renewed") >= 5
    assert "Traceback" not in heard


async def a_password_is_changed_and_a_user_taken_away_while_a_worker_runs(ways: Ways) -> None:
    worker = working(*ways.scram("worker"))
    forwarders = ways.cluster.forwarders[SCRAM]
    async with alive(worker):
        await until_true(worker.works)
        # The brokers want to know again who it is every few seconds.
        before = sum(each.taken for each in forwarders)

        async def has_come_again() -> bool:
            return sum(each.taken for each in forwarders) > before + 20

        await some(ways)
        await until_true(has_come_again)
        await some(ways)
        assert await worker.works()
        # No request has met the end of a session.
        assert not [line for line in heard_of(worker.running) if "closed" in line]
        await remove_user(ways.cluster.bootstrap, "worker", "SCRAM-SHA-512")
        await until_refused(worker, "user worker by SCRAM-SHA-512")
        await set_password(ways.cluster.bootstrap, "worker", "SCRAM-SHA-512", "another one")
        ways.password("worker").write_text("another one\n")
        await until_true(worker.works)
        await some(ways)
        await worker.stop()
    await set_password(ways.cluster.bootstrap, "worker", "SCRAM-SHA-512", PASSWORD)
    heard = await said(worker.running)
    assert PASSWORD not in heard
    assert "another one" not in heard
    assert "Traceback" not in heard


async def test_a_secured_cluster_is_worked_with_as_credentials_and_brokers_come_and_go(
    ways: Ways, tmp_path: Path
) -> None:
    # One after the other, as three nodes are dear: tests that run side by side would each have their own.
    await all_do_their_work_with_the_documented_rights_through_the_loss_of_a_broker(ways, tmp_path)
    await certificates_are_renewed_while_a_worker_runs(ways)
    await a_password_is_changed_and_a_user_taken_away_while_a_worker_runs(ways)
