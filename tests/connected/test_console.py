"""The console on a real Kafka: alerts of a real worker arrive live, and every page has what the topics hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp

from tests.connected.broker_faults.scans import SCANS, make_topics, named, silent_since, working
from tests.connected.documented_rights import documented
from tests.connected.marketplace import APP, running
from tests.kafka_broker import Broker
from tests.kafka_broker.acls import grant, revoke
from tests.kafka_broker.broker import BOUND, PASSWORD
from tests.patience import PATIENCE
from tests.ports import free_port

TOKEN = "connected-test-token"  # noqa: S105
BUYER, TEXT = "buyer-of-secrets", "words-of-a-secret"


class Asking:
    """Asks a running console."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def get(self, path: str) -> str:
        async with self.session.get(path) as answer:
            return await answer.text()

    async def until(self, path: str, holds: Callable[[str], bool]) -> str:
        """Asks until the page is as it should be."""
        page = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    with suppress(aiohttp.ClientConnectionError):
                        if holds(page := await self.get(path)):
                            return page
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(page) from None


@asynccontextmanager
async def console(kafka: Broker, *options: str, address: str = "", **variables: str) -> AsyncIterator[Asking]:
    """A console as a process of its own. `address`: where the broker is, if elsewhere."""
    port = free_port()
    given = (
        "--broker",
        f"kafka://{address or kafka.bootstrap}",
        "--app-id",
        APP,
        "--listen-port",
        str(port),
        "--lang",
        "en",
        *options,
    )
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        running("console", *given, PARCELWATCH_CONSOLE_TOKEN=TOKEN, **variables),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session,
    ):
        yield Asking(session)


async def test_alerts_of_a_worker_arrive_live_and_are_explained(kafka: Broker) -> None:
    await make_topics(kafka)
    await kafka.produce(SCANS, silent_since(8, named("OLD", 2)))
    message = f'{{"event_id":"m","occurred_at":"2026-01-01T00:00:00Z","type":"chat.message","conversation_id":"C",\
"shop_id":"S","buyer_id":"{BUYER}","sender":"buyer","text":"{TEXT}"}}'
    await kafka.produce("chats", [(b"C", message.encode())])
    await kafka.produce("orders", [(b"secret-key", b'{"buyer_id":"buyer-of-secrets"')])
    async with working(kafka), console(kafka) as asking:
        await asking.until("/", lambda page: page.count("data-key=") == 2 and "not complete" not in page)
        async with asking.session.get("/live") as changes:
            before = await changes.content.readline()
            assert before.startswith(b"data: ")
            await kafka.produce(SCANS, silent_since(8, named("NEW", 1)))
            await asking.until("/", lambda page: "NEW000" in page)
            async with asyncio.timeout(PATIENCE):
                while not (line := await changes.content.readline()).startswith(b"data: ") or line == before:
                    assert line, "it has ended"
        group = await asking.until("/group", lambda page: "shipments-0" in page and "–</td>" not in page)
        assert APP in group
        timeline = await asking.until("/timeline?subject=NEW000", lambda page: "<article" in page)
        assert "Parcel stalled" in timeline
        chat = await asking.until("/timeline?subject=C", lambda page: "<article" in page)
        assert "message from the buyer" in chat
        letters = await asking.until("/dead-letters", lambda page: "<code>" in page)
        carriers = await asking.until("/carriers", lambda page: "SF" in page)
        for page in (group, timeline, chat, letters, carriers):
            assert not [secret for secret in (BUYER, TEXT, "secret-key", "of-secrets") if secret in page]


async def test_a_broker_that_is_away_is_told_and_what_was_read_stays(mortal_kafka: Broker) -> None:
    await make_topics(mortal_kafka)
    await mortal_kafka.produce(SCANS, silent_since(8, named("OLD", 1)))
    async with working(mortal_kafka), console(mortal_kafka) as asking:
        await asking.until("/", lambda page: "OLD000" in page)
        await mortal_kafka.stop()
        page = await asking.until("/timeline?subject=OLD000", lambda page: 'role="alert"' in page)
        assert "Kafka cannot be read" in page
        assert "OLD000" in await asking.get("/")
        await mortal_kafka.start()
        await mortal_kafka.produce(SCANS, silent_since(8, named("NEW", 1)))
        await asking.until("/", lambda page: "NEW000" in page and "OLD000" in page)


async def test_topics_that_come_later_are_found(kafka: Broker) -> None:
    async with console(kafka) as asking:
        await asking.until("/", lambda page: "These topics do not exist" in page)
        await make_topics(kafka)
        await asking.until("/", lambda page: "do not exist" not in page and "not complete" not in page)


async def test_the_documented_rights_are_enough(mortal_kafka: Broker) -> None:
    await make_topics(mortal_kafka)
    await mortal_kafka.produce(SCANS, silent_since(8, named("OLD", 1)))
    granted = documented("status", "console", app=APP)
    exact, prefixed = ([right for right, by in granted if by is wanted] for wanted in (False, True))
    who = ("--security-protocol", "SASL_PLAINTEXT", "--sasl-username", BOUND)
    secret = {"PARCELWATCH_SASL_PASSWORD": PASSWORD}
    await grant(mortal_kafka.bootstrap, BOUND, exact)
    await grant(mortal_kafka.bootstrap, BOUND, prefixed, prefixed=True)
    try:
        async with (
            working(mortal_kafka),
            console(mortal_kafka, *who, address=mortal_kafka.secured, **secret) as asking,
        ):
            troubles = ("not complete", 'role="alert"', "do not exist")
            await asking.until("/", lambda page: "OLD000" in page and not any(each in page for each in troubles))
            await asking.until("/timeline?subject=OLD000", lambda page: "<article" in page)
            await asking.until("/group", lambda page: "shipments-0" in page)
    finally:
        await revoke(mortal_kafka.bootstrap, BOUND, exact)
        await revoke(mortal_kafka.bootstrap, BOUND, prefixed, prefixed=True)
