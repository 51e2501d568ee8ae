"""`python -m bench.replay`: how fast a replay is, where its time goes, and what a shipment takes in memory.

Three figures. *Events a second*: the command `parcelwatch replay` as a process, from its start to its end, on scans
alone and on everything that a marketplace sends. *Cost by stage*: the replay's own loop in this process, one stage
after the other for some thousand events at a time with a look at the clock in between, so that no profiler is paid
for. *Memory*: see `bench/memory.py`.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.child import Child, Spent
from bench.contenders import ROOT
from bench.scans import Scans
from schemas.events import SCANS
from streams.alerts.cloudevents import AlertWriter
from streams.demo.market import Plan, market
from streams.policy import load
from streams.replay.batches import batches
from streams.replay.reading import chunks
from streams.replay.run import STEP
from streams.stages.single import SingleReader

_DAYS = 45
STAGES = ("read", "decode", "state", "rules", "write")


@dataclass(slots=True)
class Costs:
    """CPU-seconds by stage. `read`: lines from the file; `decode`: what makes valid events of them; `state`: events
    folded into what is kept; `rules`: what the watermark has passed.
    """

    lines: int = 0
    read: float = 0.0
    decode: float = 0.0
    state: float = 0.0
    rules: float = 0.0
    write: float = 0.0

    def line(self, name: str) -> str:
        each = [getattr(self, stage) / self.lines * 1e6 for stage in STAGES]
        return f"| {name} | {self.lines:,} | " + " | ".join(f"{one:.2f}" for one in [*each, sum(each)]) + " |"


def costs(path: Path) -> Costs:
    """Runs the replay's loop over the input, stage by stage."""
    policy = load.default()
    reader, writer = SingleReader(policy), AlertWriter(policy.label, policy.platform)
    spent = Costs()
    clock = time.process_time
    # Lines are read and decoded in one; what reading alone takes is measured beforehand, and taken off.
    began = clock()
    spent.lines = sum(len(lines) for _, lines in chunks(path, None))
    spent.read = clock() - began
    spent.decode = -spent.read
    unlooked = 0
    began = clock()
    for batch in batches(path):
        decoded = clock()
        for event in batch.events:
            reader.take(*event)
        taken = clock()
        spent.decode += decoded - began
        spent.state += taken - decoded
        unlooked += len(batch.events)
        if unlooked >= STEP:
            unlooked = 0
            _judge(reader, writer, spent)
        began = clock()
    reader.finish(reader.greatest)
    return spent


def _judge(reader: SingleReader, writer: AlertWriter, spent: Costs) -> None:
    began = time.process_time()
    reader.settle()
    judged = time.process_time()
    alerts, _ = reader.drain()
    for alert in alerts:
        writer.records(alert)
    spent.rules += judged - began
    spent.write += time.process_time() - judged


def scans_file(folder: Path, count: int) -> tuple[Path, int]:
    """Scans alone, as a replay reads them; and how many."""
    scans, path = Scans(count), folder / "scans.jsonl"
    with path.open("wb") as out:
        out.writelines(b'{"topic":"%s","value":%s}\n' % (SCANS.encode(), one.value) for one in scans)
    return path, len(scans)


def mixed_file(folder: Path, about: int) -> tuple[Path, int]:
    """Orders, scans and chats of a made-up marketplace; some 16 events an order."""
    path = folder / "mixed.jsonl"
    plan = Plan(shops=40, orders_per_day=max(10, about // (16 * _DAYS)), days=_DAYS)
    count = 0
    with path.open("wb") as out:
        for one in market(plan):
            out.write(b'{"topic":"%s","value":%s}\n' % (one.topic.encode(), one.encode()))
            count += 1
    return path, count


def replayed(path: Path, folder: Path) -> Spent:
    """`parcelwatch replay` of the file."""
    command = [sys.executable, "-m", "streams", "replay", str(path), "--out", str(folder / "out")]
    with Child(command, folder / "replay.log") as child:
        spent = child.wait()
        if spent.status:
            raise RuntimeError(child.said())
    return spent


def memory(parcels: int) -> dict[str, float]:
    """Bytes by parcel, from a process of its own: what others left behind here would be in the way."""
    command = [sys.executable, "-m", "bench.memory", "--parcels", str(parcels)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    return found


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.replay", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--events", type=int, default=500_000, help="of each stream, about (default: %(default)s)")
    parser.add_argument("--parcels", type=int, default=200_000, help="held in memory (default: %(default)s)")
    asked = parser.parse_args(given)
    print(machine.described())
    with tempfile.TemporaryDirectory(prefix="parcelwatch-bench-") as name:
        folder = Path(name)
        made = {
            "scans": scans_file(folder, asked.events // 20 * 20),
            "everything": mixed_file(folder, asked.events),
        }
        print("\n| stream | events | wall s | events a second | most memory |\n|---|---|---|---|---|")
        for stream, (path, count) in made.items():
            spent = replayed(path, folder)
            print(f"| {stream} | {count:,} | {spent.wall:.1f} | {count / spent.wall:,.0f} "
                  f"| {spent.memory / 1e6:,.0f} MB |", flush=True)  # fmt: skip
        print("\n| CPU µs an event | events | " + " | ".join((*STAGES, "all")) + " |\n|" + "---|" * (len(STAGES) + 3))
        for stream, (path, _) in made.items():
            print(costs(path).line(stream), flush=True)
    held = memory(asked.parcels)
    print(f"\n{asked.parcels:,} shipments of 8 scans and one order: {held['shipments']:,.0f} bytes a shipment, "
          f"and {held['orders']:,.0f} for its order")  # fmt: skip


if __name__ == "__main__":
    # As the command has it.
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)
    main()
