"""The newest alerts and dead letters: how many of each kind, and when. What they say and whom they name is not read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from schemas.times import DAY, parse
from schemas.topics import ALERTS, INPUTS, TopicNames
from streams.engine.errors import UNDECODABLE
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaSettings
from streams.engine.log.kafka_spans import KafkaSpans
from streams.engine.processor import Record
from streams.redrive.letters import letter
from streams.status.facts import Count, Span

#: How many of a partition's newest offsets are looked at: alerts are a few kilobytes each, dead letters some headers.
_ALERTS, _LETTERS = 50, 500

_Spans = Mapping[TopicPartition, Span]
_Counts = dict[str, dict[tuple[str, ...], Count]]


class _Data(msgspec.Struct):
    status: str


class _Alert(msgspec.Struct):
    type: str
    time: str
    data: _Data


_alert = msgspec.json.Decoder(_Alert).decode


async def newest_alerts(settings: KafkaSettings, spans: _Spans, topics: TopicNames) -> _Counts:
    """By topic and (type, status), with the alerts' own time."""

    def take(_source: TopicPartition, record: Record) -> Iterator[tuple[tuple[str, ...], int]]:
        try:
            alert = _alert(record.value or b"")
            yield (alert.type, alert.data.status), parse(alert.time)
        except (*UNDECODABLE, ValueError):
            yield ("unknown", ""), record.timestamp * 1000

    return await _newest(settings, spans, topics.all(ALERTS.values()), _ALERTS, take)


async def newest_letters(settings: KafkaSettings, spans: _Spans, topics: TopicNames, now: int) -> _Counts:
    """By topic and (reason,), those of the last day; a record that failed again after a redrive counts once."""
    names = {topics.dead_letters(name): topics[name] for name in INPUTS}
    known: set[str] = set()

    def take(source: TopicPartition, record: Record) -> Iterator[tuple[tuple[str, ...], int]]:
        one = letter(source, record, names[source.topic])
        if one is not None and one.failed_at > now - DAY and one.root not in known:
            known.add(one.root)
            yield (one.reason,), one.failed_at

    return await _newest(settings, spans, names, _LETTERS, take)


async def _newest(
    settings: KafkaSettings,
    spans: _Spans,
    topics: Mapping[str, str] | tuple[str, ...],
    most: int,
    take: Callable[[TopicPartition, Record], Iterator[tuple[tuple[str, ...], int]]],
) -> _Counts:
    wanted = {
        source: (max(span.begin, span.stable - most), span.stable)
        for source, span in spans.items()
        if source.topic in topics
    }
    counts: _Counts = {}
    reader = KafkaSpans(settings, wanted)
    try:
        await reader.open()
        while batches := await reader.read(wanted.keys()):
            for fetched in batches:
                for record in fetched.records:
                    for key, at in take(fetched.source, record):
                        counts.setdefault(fetched.source.topic, {}).setdefault(key, Count()).add(at)
    finally:
        await reader.close()
    return counts
