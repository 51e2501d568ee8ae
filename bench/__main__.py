"""`python -m bench`: parcelwatch beside Kafka Streams, Quix Streams and Faust, per CPU-second.

All watch the same scans on the same Kafka for parcels that are silent for more than a week. The scans are written
beforehand, one contender runs at a time, from an empty state to the last committed offset, and what it said must be
exactly the alerts that there should be.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench import machine
from bench.contenders import CONTENDERS, Contender, NotReadyError
from bench.throughput import QUIET, Figures, Throughput, WrongError, table
from tests.kafka_broker import Broker, BrokerError, GivenBroker, NoBrokerError, choose


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--scans", type=int, default=2_000_000, help="a tenth as many parcels (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each contender (default: %(default)s)")
    parser.add_argument("--only", action="append", choices=[each.name for each in CONTENDERS], help="may be repeated")
    parser.add_argument("--quiet-for", type=float, default=60, metavar="SECONDS",
                        help="to wait for others on this machine before each run (default: %(default)s)")  # fmt: skip
    return parser.parse_args(given)


async def compared(
    kafka: Broker, folder: Path, contenders: list[Contender], scans: int, repeat: int, quiet_for: float
) -> list[Figures]:
    """Measures each of them."""
    throughput = Throughput(kafka, folder, say)
    await throughput.prepare(contenders, scans)
    figures = []
    for number in range(repeat):
        for contender in contenders:
            one = await throughput.measure(contender, scans, number, quiet_for)
            figures.append(one)
            disturbed = one.busy is not None and one.busy > QUIET
            say(f"{contender.name}: {one.rate:,.0f} scans per CPU-second, {one.scans / one.spent.wall:,.0f} a second"
                + (f" (others kept {one.busy:.1f} cores busy)" if disturbed else ""))  # fmt: skip
    return sorted(figures, key=lambda one: CONTENDERS.index(one.contender))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def main(asked: argparse.Namespace) -> list[Figures]:
    contenders = [each for each in CONTENDERS if not asked.only or each.name in asked.only]
    with tempfile.TemporaryDirectory(prefix="parcelwatch-bench-") as folder:
        kafka = choose(Path(folder) / "kafka")
        try:
            await kafka.start()
            if isinstance(kafka, GivenBroker) and await kafka.topics():
                raise BrokerError(f"the broker at {kafka.bootstrap} has topics already")
            return await compared(kafka, Path(folder), contenders, asked.scans, asked.repeat, asked.quiet_for)
        finally:
            kafka.remove()


if __name__ == "__main__":
    try:
        measured = asyncio.run(main(arguments()))
    except (NoBrokerError, BrokerError, NotReadyError, WrongError, ValueError) as problem:
        sys.exit(f"bench: {problem}")
    print(machine.described())
    print(*table(measured), sep="\n")
