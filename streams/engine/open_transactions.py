"""Reports partitions that an open transaction blocks, and whose transaction it is.

Until it ends, the partition cannot be read to its end, and its watermark waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog

from streams.engine.errors import LogError
from streams.engine.log.interface import Log, TopicPartition

log = structlog.get_logger(__name__)

#: Seconds without progress before the cause is looked up; and between two lines about one partition.
_PATIENCE, _TELL = 3.0, 60.0


class OpenTransactions:
    """Watches the partitions of one worker. `held` is called with a partition and the number of offsets blocked."""

    def __init__(self, broker: Log, held: Callable[[TopicPartition, int], None]) -> None:
        self._broker = broker
        self._held = held
        #: By partition that is not read to its end: the position, and since when it has been there.
        self._waiting: dict[TopicPartition, tuple[int, float]] = {}
        #: By partition that is held up: when that was last told.
        self._told: dict[TopicPartition, float] = {}
        #: By partition that is held up, by whose transaction, in words.
        self.held: dict[TopicPartition, str] = {}

    async def look(self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        """Call it often, with all positions and end offsets requested after them. Raises `LogError`."""
        now = time.monotonic()
        behind = {source: position for source, position in positions.items() if position < ends[source]}
        self._waiting = {
            source: since if (since := self._waiting.get(source)) and since[0] == position else (position, now)
            for source, position in behind.items()
        }
        stand = [source for source, (_, since) in self._waiting.items() if now - since >= _PATIENCE]
        for source in self._told.keys() - {*stand}:
            del self._told[source]
            self.held.pop(source, None)
            self._held(source, 0)
        stuck = [source for source in stand if now - self._told.get(source, -_TELL) >= _TELL]
        if not stuck:
            return
        for source, stable in (await self._broker.stable_offsets(stuck)).items():
            if behind[source] >= stable:
                self._told[source] = now
                self._held(source, ends[source] - behind[source])
                await self._tell(source, behind[source], ends[source])

    async def _tell(self, source: TopicPartition, position: int, end: int) -> None:
        try:
            holders = ", ".join(await self._broker.holders(source)) or "unknown"
        except LogError as error:
            holders = f"unknown: {error}"
        self.held[source] = f"it is held up by an open transaction, of {holders}"
        log.warning(
            "an open transaction holds a partition up",
            topic=source.topic,
            partition=source.partition,
            position=position,
            end=end,
            holder=holders,
        )
