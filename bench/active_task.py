"""`python -m bench.active_task STORE FOLDER SCANS SILENT SIZE...`: the task that `bench/active.py` measures.

Of each size it prints `{}` once it has so many shipments, waits for a line, measures, and prints what it found.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import orjson

from bench import machine
from bench.host import Scan, Shipments, as_the_command_does
from bench.scans import START, WEEK, rendered, tracking_no
from schemas.times import parse
from streams.engine.processor import Effects

_HOUR = 3600
#: When the first size is measured; another eight hours for each that follows.
_FIRST, _APART = START + 10 * 24 * _HOUR, 8 * _HOUR
#: Records of a partition that a worker takes at once.
_BATCH = 2000
_VALUE = (
    b'{"event_id":"%s-%d","type":"scan","occurred_at":"%s","tracking_no":"%s","carrier":"carrier-%d","status":"%s",'
    b'"facility":"facility-%d","region":"-"}'
)


def scan(key: bytes, number: int, parcel: int, seconds: int) -> Scan:
    status = b"in_transit" if number else b"picked_up"
    facility = (parcel * 7 + number * 131) % 5000
    return Scan(key, _VALUE % (key, number, rendered(seconds), key, parcel % 50, status, facility), seconds * 1000)


class Active:
    """The task, its shipments so far, and the silences that are to come at each size."""

    def __init__(self, store: str, folder: Path, sizes: int, silent: int) -> None:
        self._folder = folder
        self._task = Shipments(store, folder)
        self._random = Random(1)
        self._count = 0
        self._scanned = 1
        #: The silent ones of each size with the moment (seconds) at which each is due.
        self._silent: list[dict[bytes, int]] = []
        for size in range(sizes):
            # Within the hour that the watermark passes while the size is measured.
            due = {b"SILENT%d-%d" % (size, one): self._begin(size) + 60 + one * 3400 // silent for one in range(silent)}
            self._silent.append(due)
        everything = [(key, moment) for due in self._silent for key, moment in due.items()]
        self._take(scan(key, 0, 0, moment - WEEK) for key, moment in everything)

    @staticmethod
    def _begin(size: int) -> int:
        return _FIRST + size * _APART

    def fill(self, size: int, until: int) -> None:
        """Adds shipments, one scan each, within the hours before the size is measured."""
        first, self._count = self._count, until
        begin, length = self._begin(size) - 6 * _HOUR, 7 * _HOUR
        added = until - first
        self._take(
            scan(tracking_no(one), 0, one, begin + (one - first) * length // added) for one in range(first, until)
        )
        gc.collect()

    def measure(self, size: int, scans: int) -> dict[str, float]:
        """Further scans of random shipments within an hour, in which its silences fall due."""
        begin = self._begin(size) + _HOUR
        random, count = self._random, self._count
        self._scanned += 1
        parcels = [random.randrange(count) for _ in range(scans)]
        made = [scan(tracking_no(one), self._scanned, one, begin + place * _HOUR // scans)
                for place, one in enumerate(parcels)]  # fmt: skip
        self._task.longest = 0.0
        effects: list[Effects] = []
        spent = time.process_time()
        for place in range(0, scans, _BATCH):
            effects += self._task.scans(made[place : place + _BATCH])
        effects.append(self._task.commit())
        spent = time.process_time() - spent
        return {
            "active": count,
            "scans": scans,
            "cpu": spent,
            "longest": self._task.longest,
            "due": len(self._silent[size]),
            "raised": self._raised(size, effects),
            "memory": machine.resident(),
            "disk": sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file()),
        }

    def _raised(self, size: int, effects: list[Effects]) -> int:
        """How many of the silences were raised by now, each once, with its own time."""
        waiting = dict(self._silent[size])
        found = 0
        for output in (output for each in effects for output in each.outputs):
            if output.topic != "alerts.platform" or output.value is None:
                continue
            event = orjson.loads(output.value)
            if event["type"].endswith("shipment.stalled.v1") and event["data"]["status"] == "raised":
                moment = waiting.pop(event["subject"].encode(), None)
                found += moment is not None and parse(event["time"]) == moment * 1_000_000
        return found

    def _take(self, scans: Iterator[Scan]) -> None:
        batch: list[Scan] = []
        for one in scans:
            batch.append(one)
            if len(batch) == _BATCH:
                self._task.scans(batch)
                batch = []
        self._task.scans(batch)
        self._task.commit()


def main(store: str, folder: Path, scans: int, silent: int, sizes: list[int]) -> None:
    as_the_command_does()
    active = Active(store, folder, len(sizes), silent)
    for number, size in enumerate(sizes):
        active.fill(number, size)
        print("{}", flush=True)
        sys.stdin.readline()
        print(json.dumps(active.measure(number, scans)), flush=True)


if __name__ == "__main__":
    numbers = [int(number) for number in sys.argv[3:]]
    main(sys.argv[1], Path(sys.argv[2]), numbers[0], numbers[1], numbers[2:])
