"""Whether an ingest takes pushes, and whether its event loop still comes round."""

from __future__ import annotations

import asyncio

from streams.ingest.delivery import Delivery
from streams.worker.health import Health as Loop

#: Seconds between two beats of the event loop.
_BEAT = 1.0


class Health:
    """It is not ready once it is to end, nor while Kafka takes nothing, nor while its event loop stands still.

    Any thread may ask. `run` beats until it is cancelled.
    """

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._loop = Loop()
        self._loop.well("starting")
        self.ending = False

    async def run(self) -> None:
        while True:
            self._loop.beat()
            await asyncio.sleep(_BEAT)

    @property
    def alive(self) -> bool:
        """Whether there is no need to start it again."""
        return self._loop.alive

    @property
    def reasons(self) -> dict[str, str]:
        """Why it is not ready, by kind."""
        reasons: dict[str, str] = {str(kind): why for kind, why in self._loop.reasons.items()}
        if self.ending:
            reasons["ending"] = "it has been told to end"
        if (wrong := self._delivery.wrong) is not None:
            reasons["brokers"] = wrong
        return reasons
