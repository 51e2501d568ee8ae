"""`python -m bench.builds ONE OTHER`: what an event costs in the other build of parcelwatch, as a multiple of one.

A build is the folder of a checkout, which runs in its own `.venv` where it has one, or a commit of this repository,
which runs in this environment. Both replay the same events, those that `parcelwatch generate` of the first one makes:
nothing is in them that it does not know. They take turns, within the same minute, and the CPU time of starting is taken
off.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.child import Child, clean
from bench.install import ROOT, NotReadyError
from bench.report import lines
from bench.results import Cell, Table
from bench.section import say
from schemas.events import CHATS, ORDERS, SCANS

#: By stream, the topics whose events are in it.
STREAMS = {"scans": (SCANS,), "orders and scans": (ORDERS, SCANS), "everything": (ORDERS, SCANS, CHATS)}
ROUNDS, EVENTS = 9, 100_000
_DAYS, _SHOPS = 45, 40
#: What an order of the marketplace leads to, itself included.
_EVENTS_PER_ORDER = 14


@dataclass(frozen=True, slots=True)
class Build:
    """`name`: as it was asked for. `python`: runs the build in `folder`."""

    name: str
    folder: Path
    python: str

    def run(self, *arguments: str, said: Path) -> float:
        """CPU-seconds of `parcelwatch ARGUMENTS...`. Raises NotReadyError where it fails."""
        environment = clean() | {"PYTHONPATH": str(self.folder)}
        with Child([self.python, "-P", "-m", "streams", *arguments], said, environment) as child:
            spent = child.wait()
            if spent.status:
                raise NotReadyError(f"{self.name}: parcelwatch {arguments[0]}: {child.said()}")
        return spent.cpu


def build_of(name: str, folder: Path) -> Build:
    """The build of a checkout, or of a commit, which is laid out in `folder`. Raises NotReadyError."""
    checkout = Path(name)
    if (checkout / "streams").is_dir():
        own = checkout.absolute() / ".venv" / "bin" / "python"
        return Build(name, checkout.absolute(), str(own) if own.exists() else sys.executable)
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    command = ["git", "archive", "--output", str(archive), name, "streams", "schemas"]
    made = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if made.returncode:
        raise NotReadyError(f"{name}: neither the folder of a checkout nor a commit: {made.stderr.strip()}")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return Build(name, folder, sys.executable)


def streams(build: Build, folder: Path, events: int, wanted: Sequence[str]) -> dict[str, tuple[Path, int]]:
    """Some `events` of the build's marketplace as files that a replay reads, by stream; and how many each holds."""
    whole = folder / "whole.jsonl"
    options = ["--start", "2026-09-01T00:00:00+08:00", "--days", str(_DAYS), "--shops", str(_SHOPS), "--seed", "1"]
    orders = max(1, events // (_EVENTS_PER_ORDER * _DAYS))
    build.run("generate", *options, "--orders-per-day", str(orders), said=whole)
    found = {}
    for stream in wanted:
        starts = tuple(b'{"topic":"%s"' % topic.encode() for topic in STREAMS[stream])
        path, count = folder / f"{stream}.jsonl", 0
        with whole.open("rb") as source, path.open("wb") as out:
            for line in source:
                if line.startswith(starts):
                    out.write(line)
                    count += 1
        found[stream] = path, count
    return found


def costs(builds: Sequence[Build], path: Path, rounds: int, native: str, folder: Path) -> list[list[float]]:
    """CPU-seconds of a replay of the file without its start, by build, of each round."""
    first = folder / "first.jsonl"
    with path.open("rb") as source:
        first.write_bytes(source.readline())
    found: list[list[float]] = [[] for _ in builds]
    for number in range(rounds):
        turns = list(enumerate(builds))
        for place, build in turns if number % 2 else reversed(turns):
            spent = [
                build.run("replay", str(each), "--native", native, "--out", str(folder / "out"), said=folder / "said")
                for each in (first, path)
            ]
            found[place].append(spent[1] - spent[0])
    return found


def row(stream: str, count: int, spent: Sequence[Sequence[float]]) -> list[Cell]:
    """What was found of a stream: medians, and the ratio of each round."""
    ratios = sorted(other / one for one, other in zip(*spent, strict=True))
    low, high = (ratios[round(share * (len(ratios) - 1))] for share in (0.25, 0.75))
    each = [round(statistics.median(one) / count * 1e6, 2) for one in spent]
    return [stream, count, *each, round(statistics.median(ratios), 3), f"{low:.3f} to {high:.3f}", len(ratios)]


def compared(builds: Sequence[Build], asked: argparse.Namespace, folder: Path) -> Table:
    """Runs both. Raises NotReadyError."""
    rows = []
    for stream, (path, count) in streams(builds[0], folder, asked.events, asked.stream or list(STREAMS)).items():
        say(f"{stream}: {count} events, {asked.rounds} rounds")
        rows.append(row(stream, count, costs(builds, path, asked.rounds, asked.native, folder)))
    names = [f"{build.name}, CPU µs an event" for build in builds]
    return Table("builds", ["stream", "events", *names, "ratio", "half of the rounds", "rounds"], rows)


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.builds", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("one", help="folder of a checkout, or a commit")
    parser.add_argument("other", help="the same")
    parser.add_argument("--stream", action="append", choices=list(STREAMS), help="may be repeated (default: all)")
    parser.add_argument("--events", type=int, default=EVENTS, metavar="N", help="of everything (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--native", choices=["on", "off"], default="off",
                        help="on: a checkout with a .venv that has it (default: off)")  # fmt: skip
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    asked = arguments(given)
    with tempfile.TemporaryDirectory(prefix="parcelwatch-bench-") as name:
        folder = Path(name)
        builds = [build_of(each, folder / f"build-{number}") for number, each in enumerate((asked.one, asked.other))]
        found = compared(builds, asked, folder)
    say(f"{machine.described()}; a load of {os.getloadavg()[0]:.1f}")
    print("\n".join(lines(found)))


if __name__ == "__main__":
    try:
        main()
    except NotReadyError as problem:
        sys.exit(f"bench: {problem}")
