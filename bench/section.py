"""`python -m bench.section NAME`: one section in its own process; started by `python -m bench`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from bench import machine
from bench.asked import Asked
from bench.install import ROOT, NotReadyError
from bench.results import Result, save
from bench.sections import BY_NAME, Section
from bench.throughput import WrongError
from tests.kafka_broker import Broker, BrokerError, GivenBroker, NoBrokerError, choose

RESULTS = ROOT / "bench" / "results"
#: Beside what else is built here: what was measured in small says nothing.
SMALL = ROOT / "target" / "bench" / "small"
#: Sizes of `--quick` are so many times smaller.
QUICK = 20


def options(parser: argparse.ArgumentParser) -> None:
    """Those that `python -m bench` has too."""
    parser.add_argument("--quick", action="store_const", const=QUICK, dest="divide", help=f"sizes divided by {QUICK}")
    parser.add_argument("--divide", type=int, metavar="N", help="sizes divided by N")
    parser.add_argument("--ours", action="store_true", help="parcelwatch alone: nothing else is installed or measured")
    parser.add_argument("--only", action="append", default=[], metavar="NAME",
                        help="of the contenders none but those whose names begin so; may be repeated")  # fmt: skip
    parser.add_argument("--rounds", type=int, metavar="N", help="each contender so many times (default: three times)")
    parser.add_argument("--quiet-for", type=float, default=20, metavar="SECONDS",
                        help="to wait for others on this machine before each run (default: %(default)s)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FOLDER",
                        help="for results (default: bench/results; for small sizes target/bench/small)")  # fmt: skip
    parser.set_defaults(divide=1)


def folder(asked: argparse.Namespace) -> Path:
    """Where results go: smaller ones never take the place of full ones unasked."""
    if asked.out is not None:
        return Path(asked.out)
    return SMALL if asked.divide > 1 or asked.ours or asked.only else RESULTS


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


async def measured(section: Section, asked: Asked) -> Result:
    """Runs it. Raises `TimeoutError` where it takes far too long."""
    busy = await asyncio.to_thread(machine.quiet, asked.quiet_for)
    began = time.monotonic()
    async with asyncio.timeout(section.minutes * 60):
        tables = await section.run(asked)
    return Result(
        section.name,
        " ".join([f"python -m bench {section.name}", *asked.options()]),
        machine.described(),
        asked.divide,
        round(time.monotonic() - began, 1),
        None if busy is None else round(busy, 2),
        tables,
    )


async def on_broker(section: Section, asked: Asked, broker: Broker) -> Result:
    """Starts the broker for it; of one that was given, only what the section made is deleted."""
    await broker.start()
    if isinstance(broker, GivenBroker) and await broker.topics():
        raise BrokerError(f"the broker at {broker.bootstrap} has topics already")
    try:
        return await measured(section, asked)
    finally:
        if isinstance(broker, GivenBroker):
            await broker.wipe()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.section", description=(__doc__ or "").split(";")[0])
    parser.add_argument("name", choices=list(BY_NAME))
    options(parser)
    given = parser.parse_args()
    section = BY_NAME[given.name]
    # Of topics that were made just now its client says that they have no leaders yet; that is waited for.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="parcelwatch-bench-") as name:
        broker = choose(Path(name) / "kafka") if section.broker else None
        asked = Asked(
            Path(name), say, given.divide, given.ours, given.quiet_for, broker, tuple(given.only), given.rounds
        )
        try:
            result = asyncio.run(on_broker(section, asked, broker) if broker else measured(section, asked))
        finally:
            if broker is not None:
                broker.remove()
    save(result, folder(given))


if __name__ == "__main__":
    try:
        main()
    except TimeoutError:
        sys.exit("bench: it took far too long and was given up")
    except (NoBrokerError, BrokerError, NotReadyError, WrongError, ValueError) as problem:
        sys.exit(f"bench: {problem}")
