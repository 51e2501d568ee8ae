"""Reads alerts as whoever sends them on to people does, and prints one line for each that somebody has to know.

    python consume_alerts.py localhost:9092 alerts.merchant

An alert waits for a moment before it is told: one that is resolved meanwhile needs no message. Without `--follow` it
ends at the end of the topic, where what is open is told at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiokafka import AIOKafkaConsumer

PATIENCE = 30.0
"""Seconds that an alert waits for its resolution before it is told."""


class Notifier:
    """What was raised and not told yet, and what was told, by subject and episode."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._told: set[tuple[str, str]] = set()

    def take(self, alert: dict[str, Any]) -> None:
        """Takes an alert in the order of its topic."""
        data = alert["data"]
        case = alert["type"] + alert["subject"], data["episode"]
        if data["status"] == "raised":
            self._waiting[case] = time.monotonic(), alert
        elif self._waiting.pop(case, None) is None and case in self._told:
            self._told.discard(case)
            print(f"over     {data['message']['en']}", flush=True)

    def tell(self, patience: float) -> None:
        """Tells what has waited for so many seconds."""
        for case, (since, alert) in list(self._waiting.items()):
            if time.monotonic() - since >= patience:
                del self._waiting[case]
                self._told.add(case)
                print(f"{alert['data']['severity']:<8} {alert['data']['message']['en']}", flush=True)


async def main(bootstrap: str, topic: str, follow: bool) -> None:
    """Reads what is committed, from the beginning. Keep offsets in a group (`group_id`) to go on where it ended."""
    notifier = Notifier()
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    ) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while follow or any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    notifier.take(json.loads(record.value))
            notifier.tell(PATIENCE)
    notifier.tell(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], "--follow" in sys.argv))
