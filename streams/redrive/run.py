"""Scans the dead letters, and resends the records of the selected ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas.topics import TopicNames
from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Record
from streams.redrive.letters import Filter, Letter, RecordPosition, Redriven, letter, redriven
from streams.stages.intake import Partitioner

#: (begin, end) by partition.
Spans = Mapping[TopicPartition, tuple[int, int]]
#: Reads spans of partitions.
ReadSpans = Callable[[Spans], AsyncIterator[tuple[TopicPartition, Record]]]
#: Sends records; returns how many the brokers rejected as too large.
Send = Callable[[Sequence[Redriven]], Awaitable[int]]
#: Partition counts of those topics that exist; and the span of offsets each of their partitions holds.
Count = Callable[[Sequence[str]], Awaitable[Mapping[str, int]]]
Held = Callable[[Sequence[TopicPartition]], Awaitable[Spans]]

#: Gaps of up to this many offsets are read through rather than sought over.
_GAP = 2_000
#: Records per batch.
_MANY = 1_000


@dataclass(frozen=True, slots=True)
class Broker:
    """What a redrive needs of a log."""

    count: Count
    held: Held
    read: ReadSpans
    send: Send


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for. `names`: inputs, as the program knows them; `limit`: how often a record may be redriven."""

    topics: TopicNames
    names: Sequence[str]
    wanted: Filter
    limit: int
    partitioner: Partitioner
    dry_run: bool = False


class Outcome(msgspec.Struct):
    """What became of the dead letters of one topic.

    `foreign`: records that are not our letters; `superseded`: letters of records that have failed again since, or been
    redriven from another letter; `exhausted`: redriven as often as allowed; `gone`: the original has been deleted;
    `changed`: a different record is there now; `refused`: too large to be sent again.
    """

    topic: str
    letters: int = 0
    foreign: int = 0
    superseded: int = 0
    wanted: int = 0
    exhausted: int = 0
    gone: int = 0
    changed: int = 0
    refused: int = 0
    redriven: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def left(self) -> int:
        """Selected letters that cannot be redriven."""
        return self.exhausted + self.gone + self.changed + self.refused

    def lines(self, *, dry_run: bool) -> Iterator[str]:
        """For the operator."""
        by_reason = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.reasons.items()))
        yield f"{self.topic}: {self.letters:,} dead letters, {self.wanted:,} wanted" + (
            f" ({by_reason})" if by_reason else ""
        )
        said = {
            "would be redriven" if dry_run else "redriven": self.redriven,
            "redriven too often already": self.exhausted,
            "whose original record is gone": self.gone,
            "whose original record is another one now": self.changed,
            "too large to be sent again": self.refused,
            "left to a later letter of the same record": self.superseded,
            "no letters of a worker's": self.foreign,
        }
        for what, count in said.items():
            if count:
                yield f"  {count:,} {what}"


@dataclass(slots=True)
class _Found:
    outcome: Outcome
    chosen: dict[str, Letter] = field(default_factory=dict)


async def redrive(broker: Broker, request: Request) -> list[Outcome]:
    """Redrives topic by topic. Raises `FatalError` and `LogError`."""
    return [await _topic(broker, request, name) for name in request.names]


async def _topic(broker: Broker, request: Request, name: str) -> Outcome:
    topic, dead = request.topics[name], request.topics.dead_letters(name)
    counts = await broker.count([topic, dead])
    for needed in (topic, dead):
        if needed not in counts:
            raise FatalError(f"topic {needed} does not exist")
    found = _Found(Outcome(topic))
    spans = await broker.held([TopicPartition(dead, each) for each in range(counts[dead])])
    async for source, record in broker.read(spans):
        _take(found, letter(source, record, topic))
    outcome = found.outcome
    letters = []
    for each in found.chosen.values():
        if not request.wanted.wants(each):
            continue
        outcome.wanted += 1
        outcome.reasons[each.reason] = outcome.reasons.get(each.reason, 0) + 1
        if each.redrives >= request.limit:
            outcome.exhausted += 1
        elif each.original.source.partition >= counts[topic]:
            outcome.gone += 1
        else:
            letters.append(each)
    await _send(broker, request, outcome, letters, counts[topic])
    return outcome


def _take(found: _Found, one: Letter | None) -> None:
    """Keeps the last letter of each record."""
    found.outcome.letters += 1
    if one is None:
        found.outcome.foreign += 1
        return
    known = found.chosen.get(one.root)
    if known is not None:
        found.outcome.superseded += 1
        if (known.redrives, known.failed_at, known.at) > (one.redrives, one.failed_at, one.at):
            return
    found.chosen[one.root] = one


async def _send(broker: Broker, request: Request, outcome: Outcome, letters: Sequence[Letter], partitions: int) -> None:
    by_place = {each.content: each for each in letters}
    held = await broker.held(sorted({place.source for place in by_place}))
    left = set(by_place)
    waiting: list[Redriven] = []
    for spans in _rounds(by_place, held):
        async for source, record in broker.read(spans):
            place = RecordPosition(source, record.offset)
            if place not in left:
                continue
            left.discard(place)
            one = by_place[place]
            key = record.key
            partition = one.original.source.partition if key is None else request.partitioner(key, partitions)
            if (made := redriven(one, record, partition)) is None:
                outcome.changed += 1
                continue
            waiting.append(made)
            if len(waiting) >= _MANY:
                await _flush(broker, request, outcome, waiting)
    await _flush(broker, request, outcome, waiting)
    outcome.gone += len(left)


async def _flush(broker: Broker, request: Request, outcome: Outcome, waiting: list[Redriven]) -> None:
    refused = await broker.send(waiting) if waiting and not request.dry_run else 0
    outcome.refused += refused
    outcome.redriven += len(waiting) - refused
    waiting.clear()


def _rounds(places: Mapping[RecordPosition, Letter], held: Spans) -> Iterator[dict[TopicPartition, tuple[int, int]]]:
    """Ordered spans covering all positions that still exist: at most one per partition in each round."""
    by_source: dict[TopicPartition, list[tuple[int, int]]] = {}
    for source, offset in sorted(places):
        begin, end = held[source]
        if not begin <= offset < end:
            continue
        spans = by_source.setdefault(source, [])
        if spans and offset - spans[-1][1] < _GAP:
            spans[-1] = (spans[-1][0], offset + 1)
        else:
            spans.append((offset, offset + 1))
    for number in range(max(map(len, by_source.values()), default=0)):
        yield {source: spans[number] for source, spans in by_source.items() if number < len(spans)}
