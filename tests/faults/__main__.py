"""`python -m tests.faults`: repeats the run of a seed, or goes on with random ones for some minutes."""

from __future__ import annotations

import argparse
import asyncio
import compileall
import json
import logging
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from random import Random

from streams.cli.faults import fault
from tests.faults.faults import FAULTS, do
from tests.faults.plan import LAST, NONE, SHORT, WEIGHTS, plan
from tests.faults.run import FailedRun, Run, clear
from tests.faults.stream import FOLDER
from tests.kafka_broker import java
from tests.kafka_broker.cluster import Cluster

#: Runs on one cluster, before it is made anew.
_RUNS = 12


def main() -> int:
    arguments = _arguments()
    if (lacking := java.missing()) is not None:
        print(f"fault runs: left out, {lacking}; install Java {java.MINIMUM_JAVA} and Maven")
        return 0
    # The clients of the tests tell of every broker that is away.
    logging.disable(logging.CRITICAL)
    # Workers write no compiled code: see `workers`.
    for package in ("streams", "schemas", "tests"):
        compileall.compile_dir(package, quiet=2)
    assert {*FAULTS} == {*WEIGHTS, *LAST}
    if arguments.short:
        arguments.seed = [*SHORT]
    return asyncio.run(_lanes(arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", default=[], help="the run of this seed; may be repeated")
    parser.add_argument("--short", action="store_true", help="the runs of a few fixed seeds")
    parser.add_argument("--minutes", type=float, default=60.0, help="without seeds: how long to go on")
    parser.add_argument("--side-by-side", type=int, default=1, metavar="N", help="N clusters at a time")
    parser.add_argument("--only", choices=[*WEIGHTS, *LAST, NONE], help="all faults are of this kind")
    parser.add_argument("--results", type=Path, default=FOLDER / "results.jsonl", help="a line for each run")
    return parser.parse_args()


class Seeds:
    """The seeds that are left: those given, or random ones for as long as it lasts."""

    def __init__(self, given: list[int], minutes: float) -> None:
        self._given = [*given]
        self._endless = not given
        self._until = time.monotonic() + minutes * 60
        self._random = Random(os.urandom(8))

    def left(self) -> bool:
        return time.monotonic() < self._until if self._endless else bool(self._given)

    def next(self) -> int:
        return self._random.randrange(1_000_000) if self._endless else self._given.pop(0)


async def _lanes(arguments: argparse.Namespace) -> int:
    seeds = Seeds(arguments.seed, arguments.minutes)
    found = await asyncio.gather(*(_lane(lane, seeds, arguments) for lane in range(arguments.side_by_side)))
    runs, failed = sum(one[0] for one in found), [seed for one in found for seed in one[1]]
    spent = sum(getattr(resource.getrusage(who), each) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
                for each in ("ru_utime", "ru_stime"))  # fmt: skip
    print(f"{spent:.0f} s of processors")
    print(f"fault runs: {runs}, of which {len(failed)} have failed{': seeds ' * bool(failed)}{failed or ''}")
    return 1 if failed or not runs else 0


async def _lane(lane: int, seeds: Seeds, arguments: argparse.Namespace) -> tuple[int, list[int]]:
    """The number of its runs, and the seeds of those that have failed. What a failed one ran on is not used again."""
    runs, failed = 0, list[int]()
    while seeds.left():
        folder = FOLDER / f"cluster-{os.getpid()}-{lane}-{runs}"
        bad = len(failed)
        async with Cluster(folder).running() as cluster:
            for _ in range(_RUNS):
                if not seeds.left() or len(failed) > bad:
                    break
                seed = seeds.next()
                runs += 1
                if not await _one(cluster, seed, arguments):
                    failed.append(seed)
        if len(failed) == bad:
            clear(folder)
    return runs, failed


async def _one(cluster: Cluster, seed: int, arguments: argparse.Namespace) -> bool:
    """One run; whether it was good. It is told, and written down."""
    begun = time.monotonic()
    run = Run(cluster, plan(seed, arguments.only), f"s{seed}")
    row: dict[str, object] = {"seed": seed, "only": arguments.only, "code": _code()}
    try:
        verdict = await run.go(do)
        row |= {"lost": verdict.lost, "doubled": verdict.doubled, "wrong": verdict.wrong, "records": verdict.records}
        why = verdict.lines
    except Exception as error:
        where = "" if isinstance(error, FailedRun) else f" ({fault(error)})"
        why = [f"{type(error).__name__}: {error}{where}"]
    good = not why
    row |= {
        "good": good, "why": [line[:300] for line in why[:3]],
        "events": run.feed.read, "seconds": round(time.monotonic() - begun, 1),
        "faults": run.happened, "drawn": len(run.plan.faults), "ends": run.restarts,
        "starts": sum(worker.starts for worker in run.workers),
    }  # fmt: skip
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    with arguments.results.open("a") as results:
        results.write(json.dumps(row) + "\n")
    told = ", ".join(f"{kind} {count}" for kind, count in sorted(run.happened.items()))
    print(f"seed {seed}: {'good' if good else 'FAILED'} in {row['seconds']} s: {told}", flush=True)
    if good:
        clear(run.folder)
        await cluster.wipe()
    else:
        (run.folder / "why").write_text("".join(f"{line}\n" for line in why))
        print(
            "\n".join(
                [
                    *(line[:300] for line in why[:6]),
                    f"kept in {run.folder}",
                    f"again: python -m tests.faults --seed {seed}",
                ]
            ),
            flush=True,
        )
    return good


def _code() -> str:
    told = subprocess.run(["git", "describe", "--always", "--dirty"], check=False, capture_output=True, text=True)
    return told.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
