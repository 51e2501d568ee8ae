"""Partitions that cannot be read on, because somebody's transaction is open in them: told, with the name of who it is.

Until it ends, the partition is not read to its end, and its watermark waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import structlog

from streams.engine.errors import LogError
from streams.engine.log.interface import Log, TopicPartition

log = structlog.get_logger(__name__)

#: Seconds without progress behind which it is asked why; and between two lines about one partition.
_PATIENCE, _TELL = 3.0, 60.0


class OpenTransactions:
    """Watches the partitions of one worker. `held` hears of a partition and of how many offsets are held up in it."""

    def __init__(self, broker: Log, held: Callable[[TopicPartition, int], None]) -> None:
        self._broker = broker
        self._held = held
        #: Of partitions that are not read to their end: the position, and since when it is there.
        self._waiting: dict[TopicPartition, tuple[int, float]] = {}
        self._holding: set[TopicPartition] = set()
        self._told: dict[TopicPartition, float] = {}

    async def look(self, positions: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        """To be called often, with all positions and, asked for behind them, the ends. Raises `LogError`."""
        now = time.monotonic()
        behind = {source: position for source, position in positions.items() if position < ends[source]}
        self._waiting = {
            source: since if (since := self._waiting.get(source)) and since[0] == position else (position, now)
            for source, position in behind.items()
        }
        for source in self._holding - {each for each, since in self._waiting.items() if now - since[1] >= _PATIENCE}:
            self._holding.discard(source)
            self._told.pop(source, None)
            self._held(source, 0)
        stuck = [
            source
            for source, (_, since) in self._waiting.items()
            if now - since >= _PATIENCE and now - self._told.get(source, -_TELL) >= _TELL
        ]
        if not stuck:
            return
        for source, stable in (await self._broker.stable_offsets(stuck)).items():
            if behind[source] >= stable:
                self._told[source] = now
                self._holding.add(source)
                self._held(source, ends[source] - behind[source])
                await self._tell(source, behind[source], ends[source])

    async def _tell(self, source: TopicPartition, position: int, end: int) -> None:
        try:
            holders = ", ".join(await self._broker.holders(source)) or "unknown"
        except LogError as error:
            holders = f"unknown: {error}"
        log.warning(
            "an open transaction holds a partition up",
            topic=source.topic,
            partition=source.partition,
            position=position,
            end=end,
            holder=holders,
        )
