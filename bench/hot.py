"""`python -m bench.hot`: a worker on a stream of one shop, carrier, facility or partition, beside an even one.

Each in two sizes, so that what is not linear shows: the second is four times the first.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bench.alone import alone
from bench.letters import Load, through_a_worker
from bench.soak.orders import HOT, Hot
from tests.kafka_broker import Broker

_TIMES = 4


async def run(events: int, broker: Broker, folder: Path) -> None:
    await broker.start()
    kinds: tuple[Hot | None, ...] = (None, *HOT)
    for size in (events, events * _TIMES):
        even = 0.0
        for hot in kinds:
            took = await through_a_worker(broker, folder, f"{hot or 'even'}-{size}", Load(size, hot=hot))
            even = even or took.cpu
            print(
                f"{hot or 'even':10} {size:9,} events {took.cpu / size * 1e6:7.1f} CPU us each, "
                f"{took.cpu / even:5.2f}x, {took.wall:6.1f} s, {took.memory} MB; load {os.getloadavg()[0]:.0f}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.hot", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--events", type=int, default=50_000, help="of the smaller size (default: %(default)s)")
    asked = parser.parse_args()
    alone("hot", lambda broker, folder: run(asked.events, broker, folder))


if __name__ == "__main__":
    main()
