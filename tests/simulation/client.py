"""The log of one worker in a simulation: `streams.engine.log.interface.Log` over the simulated brokers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from typing import Any

from streams.engine.errors import LogError, OutOfRangeError
from streams.engine.log.interface import (
    Assignor,
    Committed,
    Fetched,
    Listener,
    Rows,
    Topic,
    TopicPartition,
    TopicSpec,
)
from streams.engine.rights import Right
from tests.simulation.broker import Broker
from tests.simulation.member import SimulatedMember
from tests.simulation.network import Link
from tests.simulation.writer import SimulatedWriter

#: Rows of a changelog that are read at once.
_ROWS = 40


class SimulatedLog:
    """One client of the brokers. `session`, `transaction`: seconds until they are given up."""

    def __init__(self, broker: Broker, link: Link, session: float, transaction: float) -> None:
        self.user = "worker"
        self.broker = broker
        self.link = link
        self.session = session
        self.transaction = transaction
        self.member: SimulatedMember | None = None
        self._started = False

    async def start(self) -> None:
        await self.link.ask("start", lambda: None)
        self._started = True

    async def stop(self) -> None:
        self._started = False

    async def ping(self) -> None:
        await self._ask("ping", lambda: None)

    def refused(self) -> None:
        return None

    async def _ask(self, kind: str, question: Callable[[], Any]) -> Any:
        if not self._started:
            raise LogError("the log has not been started")
        return await self.link.ask(kind, question)

    # -- topics

    async def partitions(self, topics: Collection[str]) -> dict[str, int]:
        return {topic: each.partitions for topic, each in (await self.describe(topics)).items()}

    async def describe(self, topics: Collection[str]) -> dict[str, Topic]:
        found: dict[str, Topic] = await self._ask("describe", lambda: self.broker.describe(topics))
        return found

    async def ids(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        found = await self._ask("ids", lambda: self.broker.describe({source.topic for source in sources}))
        return {topic: each.id for topic, each in found.items()}

    async def settings(self, topics: Collection[str]) -> dict[str, Mapping[str, str]]:
        configs = self.broker.configs
        found: dict[str, Mapping[str, str]] = await self._ask(
            "settings", lambda: {topic: configs[topic] for topic in topics if topic in configs}
        )
        return found

    async def create(self, specs: Sequence[TopicSpec]) -> None:
        await self._ask("create", lambda: self.broker.create(specs))

    # -- offsets

    async def _offsets(self, sources: Collection[TopicPartition], what: str) -> dict[TopicPartition, int]:
        found: dict[TopicPartition, int] = await self._ask(
            what, lambda: {source: getattr(self.broker.partition(source), what) for source in sources}
        )
        return found

    async def begin_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return await self._offsets(sources, "begin")

    async def end_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return await self._offsets(sources, "end")

    async def stable_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        return await self._offsets(sources, "stable")

    async def holding(self, sources: Collection[TopicPartition]) -> set[TopicPartition]:
        def question() -> set[TopicPartition]:
            return {source for source in sources if self.broker.partition(source).read(0, 1).records}

        found: set[TopicPartition] = await self._ask("holding", question)
        return found

    async def holders(self, source: TopicPartition) -> Sequence[str]:
        return []

    async def committed(self, group: str, sources: Collection[TopicPartition]) -> dict[TopicPartition, Committed]:
        def question() -> dict[TopicPartition, Committed]:
            known = self.broker.offsets.get(group, {})
            return {source: known[source] for source in sources if source in known}

        found: dict[TopicPartition, Committed] = await self._ask("committed", question)
        return found

    async def trim(self, before: Mapping[TopicPartition, int]) -> None:
        def question() -> None:
            for source, offset in before.items():
                self.broker.partition(source).trim(offset)

        await self._ask("trim", question)

    # -- records

    async def lacking(self, rights: Collection[Right]) -> list[Right]:
        await self._ask("rights", lambda: None)
        return []

    async def identity(self) -> str:
        await self._ask("identity", lambda: None)
        return "simulated"

    async def rows(self, source: TopicPartition, begin: int, end: int) -> AsyncGenerator[Rows, None]:
        position = begin
        until = self.link.loop.time() + self.link.request_timeout
        while position < end:
            fetched = await self._ask("rows", lambda: self.broker.partition(source).read(position, _ROWS))  # noqa: B023
            if fetched.next > position:
                position = fetched.next
                until = self.link.loop.time() + self.link.request_timeout
                yield Rows([(each.key, each.value) for each in fetched.records if each.key is not None], position)
            elif self.link.loop.time() > until:
                raise LogError(f"reading {source.topic}-{source.partition}: nothing comes")
            else:
                await self.grown(0.1)

    async def read(self, positions: Mapping[TopicPartition, int], records: int, seconds: float) -> Sequence[Fetched]:
        """What is there behind these positions; waits for it. Raises `OutOfRangeError`."""

        def question() -> list[Fetched]:
            found = []
            for source, position in positions.items():
                partition = self.broker.partition(source)
                if not partition.begin <= position <= partition.end:
                    raise OutOfRangeError(f"out of range: {source} at {position}", [source])
                fetched = partition.read(position, records)
                if fetched.next > position:
                    found.append(fetched)
            return found

        found: Sequence[Fetched] = await self._ask("fetch", question)
        if not found and seconds > 0:
            await self.grown(seconds)
            found = await self._ask("fetch", question)
        return found

    async def grown(self, seconds: float) -> None:
        """Waits until something can be read that could not before, but not for longer than `seconds`."""
        loop = self.link.loop
        told = loop.create_future()

        def tell() -> None:
            if not told.done():
                told.set_result(None)

        self.broker.when_grown(tell)
        timer = loop.later(seconds, tell)
        try:
            await told
        finally:
            timer.cancel()

    async def writer(self, transactional_id: str, group: str) -> SimulatedWriter:
        if not self._started:
            raise LogError("the log has not been started")
        writer = SimulatedWriter(self.broker, self.link, transactional_id, group, self.transaction)
        async with _within(self.link.request_timeout, f"opening {transactional_id}"):
            await writer.open()
        return writer

    async def tail(self) -> SimulatedTail:
        await self._ask("tail", lambda: None)
        return SimulatedTail(self)

    async def join(
        self, group: str, topics: Collection[str], listener: Listener, assignor: Assignor | None = None
    ) -> SimulatedMember:
        assert assignor is not None
        counts = await self.partitions(topics)
        self.member = SimulatedMember(self, group, counts, listener, assignor)
        return self.member


class SimulatedTail:
    """Follows changelogs."""

    def __init__(self, log: SimulatedLog) -> None:
        self._log = log
        self._positions: dict[TopicPartition, int] = {}

    def follow(self, positions: Mapping[TopicPartition, int]) -> None:
        self._positions = dict(positions)

    async def read(self, seconds: float) -> Sequence[tuple[TopicPartition, Rows]]:
        asked = dict(self._positions)
        if not asked:
            await asyncio.sleep(seconds)
            return []
        found = []
        for fetched in await self._log.read(asked, _ROWS, seconds):
            if self._positions.get(fetched.source) == asked[fetched.source]:
                self._positions[fetched.source] = fetched.next
                rows = [(each.key, each.value) for each in fetched.records if each.key is not None]
                found.append((fetched.source, Rows(rows, fetched.next)))
        return found

    async def close(self) -> None:
        """Nothing is open."""


class _within:  # noqa: N801
    """A time limit whose end is a `LogError`."""

    def __init__(self, seconds: float, what: str) -> None:
        self._limit = asyncio.timeout(seconds)
        self._what = what

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        try:
            await self._limit.__aexit__(*error)
        except TimeoutError:
            raise LogError(f"{self._what}: no end") from None
