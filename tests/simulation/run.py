"""Seeds one after the other, on several cores."""

from __future__ import annotations

import argparse
import gc
import logging
import multiprocessing
import random
import sys
import traceback
import warnings
from typing import NamedTuple

import structlog

from tests.simulation import virtual_time
from tests.simulation.mistakes import MISTAKES
from tests.simulation.world import World


class Outcome(NamedTuple):
    """One seed. `trace` is the same whenever it is run."""

    seed: int
    wrong: list[str]
    trace: int
    steps: int
    seconds: float
    alerts: int
    happened: dict[str, int]
    cpu: float


def run(seed: int) -> Outcome:
    """Runs one seed. Never raises."""
    random.seed(seed)
    began = virtual_time.real_cpu()
    try:
        world = World(seed)
        verdict = world.run()
    except Exception:
        return Outcome(seed, [traceback.format_exc()], 0, 0, 0.0, 0, {}, virtual_time.real_cpu() - began)
    loop = world.loop
    return Outcome(
        seed, verdict.wrong, loop.trace, loop.steps, loop.time(), verdict.alerts, world.happened,
        virtual_time.real_cpu() - began,
    )  # fmt: skip


_runs = 0


def _quiet() -> None:
    """Logs are nothing here, and what killed processes leave behind is thrown away now and then."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    sys.unraisablehook = lambda _: None
    warnings.simplefilter("ignore")
    gc.collect()
    gc.freeze()
    gc.disable()
    # The engine collects whenever it has thrown state away, which takes longer than a whole seed.
    _collect.append(gc.collect)
    gc.collect = lambda *_: 0  # type: ignore[assignment]


_collect: list[object] = []


def _one(seed: int) -> Outcome:
    global _runs  # noqa: PLW0603
    outcome = run(seed)
    _runs += 1
    if _runs % 20 == 0:
        _collect[0]()  # type: ignore[operator]
    return outcome


def main() -> int:
    """The command; see the package. 1 if any seed fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="this one alone, with what it logs")
    parser.add_argument("--seeds", type=int, default=1000, help="so many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count(), help="processes")
    parser.add_argument("--quiet", action="store_true", help="without what a single seed logs")
    parser.add_argument("--mistake", choices=sorted(MISTAKES), help="breaks the engine, to see that it is found")
    parser.add_argument("--until-wrong", action="store_true", help="ends at the first seed that fails")
    given = parser.parse_args()
    if given.mistake:
        MISTAKES[given.mistake]()
    if given.seed is not None:
        return _alone(given.seed, quiet=given.quiet)
    _quiet()
    began = virtual_time.real_seconds()
    failed: list[Outcome] = []
    happened: dict[str, int] = {}
    steps, seconds, alerts, cpu = 0, 0.0, 0, 0.0
    seeds = range(given.first, given.first + given.seeds)
    with multiprocessing.get_context("fork").Pool(given.jobs) as pool:
        for outcome in pool.imap_unordered(_one, seeds, chunksize=4):
            steps += outcome.steps
            seconds += outcome.seconds
            alerts += outcome.alerts
            cpu += outcome.cpu
            for fault, times in outcome.happened.items():
                happened[fault] = happened.get(fault, 0) + times
            if outcome.wrong:
                failed.append(outcome)
                _tell(outcome)
                if given.until_wrong:
                    pool.terminate()
                    break
    took = virtual_time.real_seconds() - began
    faults = ", ".join(f"{times} {fault}" for fault, times in sorted(happened.items()))
    print(f"{len(seeds)} seeds, {len(failed)} failed: {steps} steps, {seconds:.0f} virtual seconds, {alerts} alerts")
    print(f"faults: {faults}")
    print(f"{took:.1f} s, {cpu:.1f} CPU-seconds")
    return 1 if failed else 0


def _alone(seed: int, *, quiet: bool) -> int:
    if quiet:
        _quiet()
    outcome = run(seed)
    _tell(outcome)
    print(
        f"seed {seed}: {outcome.steps} steps, {outcome.seconds:.1f} virtual seconds, {outcome.alerts} alerts, "
        f"trace {outcome.trace:08x}, {outcome.cpu:.2f} CPU-seconds, {outcome.happened}"
    )
    return 1 if outcome.wrong else 0


def _tell(outcome: Outcome) -> None:
    for wrong in outcome.wrong:
        print(f"seed {outcome.seed}: {wrong[:2000]}")
    if outcome.wrong:
        print(f"alone: python -m tests.simulation --seed {outcome.seed}", flush=True)
