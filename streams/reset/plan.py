"""The plan of a reset, shown before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from schemas.times import render
from streams.engine.log.interface import TopicPartition


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a reset of an application does.

    `committed`: how many partitions its group has offsets of; `internal`: its topics that exist, with their partitions;
    `spans`: of each partition of an input, the offset that is read first and the one behind the last; `since`: the
    start time (microseconds), None for the beginning; `outputs`: topics that stay, besides the inputs.
    """

    app_id: str
    committed: int
    internal: Mapping[str, int]
    spans: Mapping[TopicPartition, tuple[int, int]]
    since: int | None
    outputs: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """For the operator to confirm."""
        yield f"group {self.app_id}: its offsets, of {self.committed} partitions, are deleted"
        for topic, partitions in self.internal.items():
            yield f"topic {topic}: deleted, with {partitions} partitions"
        if not self.internal:
            yield "internal topics: there are none"
        whence = "their beginning" if self.since is None else f"the first record of {render(self.since)} or later"
        yield f"inputs: the next start reads them from {whence}: {', '.join(self._inputs())}"
        yield f"left alone: {', '.join((*self._topics(), *self.outputs))}"
        if self.since is None:
            yield "then: what the inputs still hold is judged anew, and raised again with the ids that it had"
        else:
            yield (
                "then: nothing from before that time is known; alerts raised since are raised again with the ids that "
                "they had, and those that are open from before are never resolved"
            )

    def _topics(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(source.topic for source in self.spans))

    def _inputs(self) -> Iterator[str]:
        for topic in self._topics():
            offsets = sum(end - begin for source, (begin, end) in self.spans.items() if source.topic == topic)
            yield f"{topic} ({offsets:,} offsets)"
