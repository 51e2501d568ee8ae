"""`python -m bench.rolling`: how late alerts are while all workers are restarted under load, one after the other.

Scans come evenly, as in `bench.latency`. First nothing happens; then each worker is told to end and started again, and
the next one's turn comes when that one is at work and its standbys are up to date. Once with workers that keep a name
across restarts (`--instance-id`), once without.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.alone import alone
from bench.feed import POLICY, Parcels, produce, read
from bench.latency import COMMIT, Latencies
from bench.scans import PARTITIONS, Alert
from bench.throughput import WrongError, delete
from bench.worker import PATIENCE, Worker, quantile, ready, started
from tests.kafka_broker import Broker

#: Seconds before what is measured, and for what was due up to the end to be told.
_WARM, _BEYOND = 8.0, 60.0


@dataclass(slots=True)
class Place:
    """Where one worker runs, again and again: its options, and what ends it."""

    options: tuple[str, ...]
    life: AsyncExitStack
    worker: Worker


class Rolling:
    """So many workers of one group, each with a standby of another's tasks."""

    def __init__(self, kafka: Broker, folder: Path, group: str) -> None:
        self._kafka = kafka
        self._folder = folder
        self._group = group
        self._places: list[Place] = []

    async def start(self, workers: int, options: Sequence[str], *, named: bool) -> None:
        for number in range(workers):
            name = ("--instance-id", f"worker-{number}") if named else ()
            own = (*options, "--standbys", "1", *name)
            self._places.append(Place(own, *await self._started(own)))
        for each in self._places:
            await self._until_all_is_well(each)

    async def restart_all(self) -> list[float]:
        """One after the other; how many seconds each took until all was well again."""
        taken = []
        for place in self._places:
            began = time.monotonic()
            await place.life.aclose()
            place.life, place.worker = await self._started(place.options)
            await self._until_all_is_well(place)
            taken.append(time.monotonic() - began)
        return taken

    async def stop(self) -> None:
        for place in self._places:
            await place.life.aclose()

    async def _started(self, options: tuple[str, ...]) -> tuple[AsyncExitStack, Worker]:
        life = AsyncExitStack()
        return life, await life.enter_async_context(started(self._kafka, self._group, self._folder, *options))

    async def _until_all_is_well(self, place: Place) -> None:
        await place.worker.until_it_works()
        limit = time.monotonic() + PATIENCE
        while not await place.worker.follows():
            if time.monotonic() > limit:
                raise WrongError(f"standbys stay behind: {place.worker.child.said()}")
            await asyncio.sleep(0.1)


async def measure(asked: argparse.Namespace, kafka: Broker, folder: Path, *, named: bool) -> None:
    group = "named" if named else "unnamed"
    await ready(kafka, group, PARTITIONS)
    policy = folder / "quick.toml"
    policy.write_text(POLICY)
    rolling = Rolling(kafka, folder, group)
    done, over = asyncio.Event(), asyncio.Event()
    calm = Latencies(float("inf"), float("inf"))
    restarts = Latencies(float("inf"), float("inf"))

    def take(alert: Alert, now: float, partition: int) -> None:
        calm.take(alert, now, partition)
        restarts.take(alert, now, partition)

    try:
        await rolling.start(asked.workers, ("--policy", str(policy), "--commit-interval", str(COMMIT)), named=named)
        reading = asyncio.create_task(read(kafka, take, done))
        sending = asyncio.create_task(produce(kafka.bootstrap, Parcels(asked.rate, PARTITIONS), over.is_set))
        await asyncio.sleep(_WARM)
        calm.begin = time.time()
        calm.end = calm.begin + asked.seconds
        await asyncio.sleep(asked.seconds)
        restarts.begin = time.time()
        taken = await rolling.restart_all()
        restarts.end = time.time()
        limit = time.monotonic() + _BEYOND
        while len(restarts.beyond) < PARTITIONS and time.monotonic() < limit:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        over.set()
        await sending
        done.set()
        await reading
    finally:
        await rolling.stop()
    await delete(kafka, await kafka.topics())
    print(f"{group}: restarts of {', '.join(f'{one:.1f}' for one in taken)} s")
    for title, found in (("calm", calm), ("restarts", restarts)):
        for status, seen in found.found.items():
            if not seen:
                raise WrongError(f"no alert was {status}")
            p50, p99, most = (quantile(seen, 0.5), quantile(seen, 0.99), max(seen))
            print(f"  {title:8} {status:8} {len(seen):6} alerts  p50 {p50:6.0f} ms  p99 {p99:6.0f}  most {most:6.0f}")


async def run(asked: argparse.Namespace, kafka: Broker, folder: Path) -> None:
    await kafka.start()
    for named in (True, False):
        await measure(asked, kafka, folder, named=named)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rolling", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--workers", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("--rate", type=float, default=3_000, help="scans a second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="without a restart (default: %(default)s)")
    asked = parser.parse_args()
    alone("rolling", lambda broker, folder: run(asked, broker, folder))


if __name__ == "__main__":
    main()
