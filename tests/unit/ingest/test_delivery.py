"""A producer that is of no more use is replaced; one that is only slow is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streams.engine.errors import LogError
from streams.ingest import delivery as module
from streams.ingest.delivery import Delivery, Undelivered
from streams.produce.writer import Outgoing
from tests.patience import PATIENCE

RECORD = Outgoing("orders", b"O1", b"{}")


class Writer:
    """Takes records while it is well."""

    def __init__(self, made: list[Writer], refuses: bool) -> None:
        self.fails: Exception | None = None
        self.hangs = False
        self.closed = False
        self._refuses = refuses
        made.append(self)

    async def open(self, topics: Collection[str]) -> None:
        if self._refuses:
            raise LogError("no broker answers")

    async def append(self, record: Outgoing) -> asyncio.Future[Any]:
        if self.fails is not None:
            raise self.fails
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self.hangs:
            future.set_result(None)
        return future

    async def arrived(self, sent: Collection[asyncio.Future[Any]]) -> None:
        await asyncio.gather(*sent)

    async def ping(self) -> None:
        if self.fails is not None:
            raise self.fails

    async def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def delivering(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Delivery, list[Writer], list[bool]]]:
    """One that looks often. The second writer finds no broker."""
    monkeypatch.setattr(module, "_LOOK", 0.01)
    made: list[Writer] = []
    told: list[bool] = []
    delivery = Delivery(lambda: Writer(made, len(made) == 1), ["orders"], 0.05, told.append)  # type: ignore[arg-type, return-value]
    await delivery.open()
    looking = asyncio.create_task(delivery.run())
    try:
        yield delivery, made, told
    finally:
        looking.cancel()
        await asyncio.wait([looking])
        await delivery.close()


async def test_a_producer_that_fails_is_replaced_as_soon_as_there_is_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    async with delivering(monkeypatch) as (delivery, made, told):
        await delivery.send([RECORD])
        made[0].fails = LogError("fenced")
        with pytest.raises(Undelivered):
            await delivery.send([RECORD])
        async with asyncio.timeout(PATIENCE):
            while delivery.wrong is not None or len(made) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert made[0].closed
        assert made[1].closed
        await delivery.send([RECORD])
        assert not made[2].closed
        assert False in told
        assert told[-1]


async def test_what_takes_too_long_is_given_up_and_the_producer_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async with delivering(monkeypatch) as (delivery, made, _):
        made[0].hangs = True
        with pytest.raises(Undelivered):
            await delivery.send([RECORD])
        made[0].hangs = False
        await delivery.send([RECORD])
        assert len(made) == 1


async def test_while_no_broker_answers_nothing_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async with delivering(monkeypatch) as (delivery, made, told):
        made[0].fails = LogError("no broker answers")
        async with asyncio.timeout(PATIENCE):
            while delivery.wrong is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            with pytest.raises(Undelivered):
                await delivery.send([RECORD])
            made[0].fails = None
            while not told[-1]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await delivery.send([RECORD])
        assert len(made) == 1
