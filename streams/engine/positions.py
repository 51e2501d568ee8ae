"""One rule for the positions of inputs and edges: a position is valid only in the topic that it was reached in.

Every takeover compares the position with the partition's first offset, its end offset and the topic id; the id is
compared again between the last fetch and its commit. A mismatch means lost records: the worker stops or, if configured
so, counts them and goes on. Nothing is ever reset silently.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Literal, NamedTuple

import structlog

from streams.engine.errors import FatalError, LogError
from streams.engine.log.interface import Committed, Log, TopicPartition

log = structlog.get_logger(__name__)

#: What to do if offsets are lost.
OnLost = Literal["stop", "continue"]

#: Seconds for which a topic may be unknown: a broker that has just restarted may not know all topics yet.
MISSING = 3.0


class Place(NamedTuple):
    """A position in a partition, and the partition as it is now. `seen`: the highest end offset ever seen.

    `read` is the id of the topic that was read up to the position, `id` its id now; empty if unknown.
    """

    position: int
    begin: int
    end: int
    read: bytes = b""
    id: bytes = b""
    seen: int = 0


class Lost(NamedTuple):
    """Why a position is invalid, the known upper bound of the offsets lost, and where to resume."""

    why: str
    offsets: int
    resume: int


def compare(place: Place) -> Lost | None:
    """What has been lost of one partition; None if its position is valid."""
    if place.read and place.id and place.read != place.id:
        return Lost(
            "the topic was deleted and made again under its name", max(place.seen - place.position, 0), place.begin
        )
    if place.position > place.end:
        # The same topic was truncated at its end: what follows is new. Without a topic id everything may be new.
        resume = place.end if place.read and place.id else place.begin
        return Lost("the partition ends before what was read", place.position - place.end, resume)
    if place.position < place.begin:
        return Lost("records were deleted before they were read", place.begin - place.position, place.begin)
    return None


async def _current() -> None:
    """Nobody else can have the task."""


class Positions:
    """Applies the rule for the tasks of one worker. `lost` is called with a partition and the offsets lost in it."""

    def __init__(self, broker: Log, on_lost: OnLost, lost: Callable[[TopicPartition, int], None]) -> None:
        self._broker = broker
        self._on_lost = on_lost
        self._lost = lost
        self._missing: dict[str, float] = {}
        self._wanted: set[TopicPartition] = set()
        self._next: asyncio.Task[dict[str, bytes]] | None = None
        self._asking = asyncio.Lock()

    async def ids(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        """The topic ids now. Raises `LogError` if a topic does not exist, and `FatalError` if that lasts."""
        found = await self._fresh(sources)
        self.miss({source.topic for source in sources}, found)
        if missing := {source.topic for source in sources} - found.keys():
            raise LogError(f"topics do not exist at the moment: {', '.join(sorted(missing))}")
        return found

    def miss(self, topics: Collection[str], found: Collection[str]) -> None:
        """Notes which of the topics were not found. Raises `FatalError` if one has been missing too long."""
        now = time.monotonic()
        for topic in topics:
            if topic in found:
                self._missing.pop(topic, None)
            elif now - self._missing.setdefault(topic, now) > MISSING:
                raise FatalError(
                    f"topic {topic} does not exist any more, and there is state that was read from it: make it again "
                    "and start with --on-lost-offsets continue, or begin anew with parcelwatch reset"
                )

    async def confirm(self, sources: Collection[TopicPartition], read: Mapping[str, bytes]) -> None:
        """Raises `LogError` unless everything fetched so far from `sources` came from the topics with these ids."""
        found = await self._fresh(sources)
        for source in sources:
            if differs(read.get(source.topic, b""), found.get(source.topic)):
                raise LogError(f"topic {source.topic} is not the one that was read: it was deleted or made again")

    async def settle(
        self,
        positions: Mapping[TopicPartition, int],
        read: Mapping[str, bytes],
        ids: Mapping[str, bytes],
        seen: Mapping[TopicPartition, int],
        committed: Mapping[TopicPartition, Committed],
        *,
        current: Callable[[], Awaitable[None]] = _current,
    ) -> dict[TopicPartition, int]:
        """New positions for those that are invalid. Raises `FatalError` if the worker is to stop.

        `read`: the ids of the topics that the state was built from. `committed`: the group's offsets, none of which
        may be beyond its position. `current` is called before anything is taken for lost; it raises `LogError` if the
        positions are not the task's any more.
        """
        begins = await self._broker.begin_offsets(positions)
        ends = await self._broker.end_offsets(positions)
        resume = {}
        for source, position in sorted(positions.items()):
            place = Place(
                position, begins[source], ends[source], read.get(source.topic, b""), ids.get(source.topic, b""),
                seen.get(source, 0),
            )  # fmt: skip
            if (lost := compare(place)) is not None:
                await current()
                self._stop_or_tell(source, place, lost)
                resume[source] = lost.resume
            elif source in committed and committed[source].offset > position:
                why = f"the group's offset is {committed[source].offset}, beyond what the state was read up to"
                self._stop_or_tell(source, place, Lost(why, 0, position))
        return resume

    async def begin(
        self, sources: Collection[TopicPartition], wanted: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        """Where a task without state begins: at the offset asked for, if still retained, else at the first."""
        first = await self._broker.begin_offsets(sources)
        ends = await self._broker.end_offsets(wanted)
        return first | {source: at for source, at in wanted.items() if first[source] <= at <= ends[source]}

    def _stop_or_tell(self, source: TopicPartition, place: Place, lost: Lost) -> None:
        where = f"position {place.position}, first offset {place.begin}, end {place.end}"
        if self._on_lost == "stop":
            raise FatalError(
                f"{source.topic}-{source.partition}: {where}: {lost.why}: start with --on-lost-offsets continue to go "
                f"on at {lost.resume}, or begin anew with parcelwatch reset"
            )
        log.warning(
            "offsets are lost, going on",
            topic=source.topic,
            partition=source.partition,
            position=place.position,
            first=place.begin,
            end=place.end,
            why=lost.why,
            lost=lost.offsets,
            going_on_at=lost.resume,
        )
        self._lost(source, lost.offsets)

    async def _fresh(self, sources: Collection[TopicPartition]) -> dict[str, bytes]:
        """The ids, by a request sent after the call; callers that arrive while one is in flight share the next."""
        self._wanted.update(sources)
        if self._next is None:
            self._next = asyncio.create_task(self._ask())
            self._next.add_done_callback(_looked_at)
        return await asyncio.shield(self._next)

    async def _ask(self) -> dict[str, bytes]:
        async with self._asking:
            sources, self._wanted, self._next = self._wanted, set(), None
            return await self._broker.ids(sources)


def differs(read: bytes, now: bytes | None) -> bool:
    """Whether the topic is not the one that was read; `now` is None if it does not exist."""
    return now is None or bool(read and now and read != now)


def _looked_at(asked: asyncio.Task[dict[str, bytes]]) -> None:
    if not asked.cancelled():
        asked.exception()
