"""Puts records into Kafka, as long as there is a broker that takes them, and knows whether there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from streams.engine.errors import FatalError, LogError
from streams.produce.writer import EventWriter, Outgoing

log = structlog.get_logger(__name__)

#: Seconds between two looks at the brokers, and for their answer.
_LOOK, _PING = 1.0, 2.0


class Undelivered(Exception):
    """Kafka has not acknowledged it, or not in time; it may be there all the same, and may be sent again."""


class Delivery:
    """A producer that is replaced when it is of no more use. `patience`: seconds for the acknowledgement of a push.

    `make` gives a new writer; `told` is called with whether Kafka takes events, whenever that is looked at.
    """

    def __init__(
        self, make: Callable[[], EventWriter], topics: Sequence[str], patience: float, told: Callable[[bool], None]
    ) -> None:
        self._make, self._topics, self._patience, self._told = make, topics, patience, told
        self._writer: EventWriter | None = None
        self._spoilt = False
        #: Why Kafka takes nothing now.
        self.wrong: str | None = "not connected yet"

    async def open(self) -> None:
        """Connects for the first time. Raises `LogError` and `FatalError`."""
        self._writer = self._make()
        await self._writer.open(self._topics)
        self._well()

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Returns when the brokers have all of them. Raises `Undelivered`."""
        writer = self._writer
        if writer is None or self.wrong is not None:
            # It would only lie here, and be asked for again.
            raise Undelivered
        try:
            async with asyncio.timeout(self._patience):
                await writer.arrived([await writer.append(record) for record in records])
        except TimeoutError:
            raise Undelivered from None
        except LogError as error:
            self._spoilt = True
            self._ill(str(error))
            raise Undelivered from None

    async def run(self) -> None:
        """Looks at the brokers until it is cancelled, and replaces a producer that is of no more use."""
        while True:
            await asyncio.sleep(_LOOK)
            try:
                if self._spoilt:
                    await self._replace()
                async with asyncio.timeout(_PING):
                    await self._ping()
            except (LogError, FatalError) as error:
                self._ill(str(error))
            except TimeoutError:
                self._ill("no broker answers")
            else:
                self._well()

    async def close(self) -> None:
        """Waits a little for what is on its way."""
        if self._writer is not None:
            await self._writer.close()

    async def _ping(self) -> None:
        if self._writer is None:
            raise LogError("no producer")
        await self._writer.ping()

    async def _replace(self) -> None:
        old, self._writer = self._writer, None
        if old is not None:
            await old.close()
        new = self._make()
        try:
            await new.open(self._topics)
        except (LogError, FatalError):
            await new.close()
            raise
        self._writer, self._spoilt = new, False

    def _ill(self, why: str) -> None:
        if self.wrong is None:
            log.warning("not ready", why=why)
        self.wrong = why
        self._told(False)

    def _well(self) -> None:
        if self.wrong is not None:
            log.info("ready")
        self.wrong = None
        self._told(True)
