"""How fast a replay is, and where its time goes.

Two figures. *Events a second*: the command `parcelwatch replay` as a process, from its start to its end, on scans
alone and on everything that a marketplace sends, with native and without, by turns. *Cost by stage*: the replay's own
loop in this process, one stage after the other for some thousand events at a time with a look at the clock in between,
so that no profiler is paid for.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from bench.asked import Asked
from bench.child import Child, Spent
from bench.results import Cell, Table
from bench.scans import EACH, Scans
from schemas.events import SCANS
from streams.alerts.cloudevents import AlertWriter
from streams.marketplace.market import Plan, market
from streams.policy import load
from streams.replay.batches import Batch, Event, batches
from streams.stages.single_reader import SingleReader

#: Of the marketplace, and scans alone: so many that the start of the process is a small part.
EVENTS, SCANS_ALONE = 300_000, 2_000_000
ROUNDS = 3
#: Events between two looks at the clock; as many as the replay takes between two looks at what is due.
_STEP = 4096
_DAYS = 45
#: What an order of the marketplace leads to, itself included.
_EVENTS_PER_ORDER = 16
STAGES = ("read, decode", "state", "rules", "write")


@dataclass(slots=True)
class Costs:
    """CPU-seconds by stage. `state`: events folded into what is kept; `rules`: what the watermark has passed."""

    events: int = 0
    decode: float = 0.0
    state: float = 0.0
    rules: float = 0.0
    write: float = 0.0

    def row(self, name: str) -> list[Cell]:
        each = [spent / self.events * 1e6 for spent in (self.decode, self.state, self.rules, self.write)]
        return [name, self.events, *(round(one, 2) for one in [*each, sum(each)])]


def costs(path: Path) -> Costs:
    """Runs the replay's loop over the input, stage by stage."""
    policy = load.default()
    reader, writer = SingleReader(policy), AlertWriter(policy.label, policy.platform)
    spent = Costs()
    clock = time.process_time
    source = batches(path)
    while True:
        began = clock()
        some = _some(source)
        spent.decode += clock() - began
        if not some:
            break
        began = clock()
        for topic, event, at, value, *_ in some:
            reader.take(topic, event, at, value)
        spent.state += clock() - began
        _judge(reader, writer, spent)
        spent.events += len(some)
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


def _some(source: Iterator[Batch]) -> list[Event]:
    found: list[Event] = []
    while len(found) < _STEP and (batch := next(source, None)) is not None:
        found += batch.events
    return found


def scans_file(folder: Path, count: int) -> tuple[Path, int]:
    """Scans alone, as a replay reads them; and how many."""
    scans, path = Scans(count), folder / "scans.jsonl"
    with path.open("wb") as out:
        out.writelines(b'{"topic":"%s","value":%s}\n' % (SCANS.encode(), one.value) for one in scans)
    return path, len(scans)


def market_file(folder: Path, name: str, about: int, days: int) -> tuple[Path, int]:
    """Orders, scans and chats of a made-up marketplace within so many days; and how many.

    What happens of an order behind the last day is left out, so that a few days need more orders for as many events.
    """
    path = folder / f"{name}.jsonl"
    plan = Plan(shops=40, orders_per_day=max(1, about // (_EVENTS_PER_ORDER * days)), days=days)
    found = sum(1 for _ in market(plan))
    plan = replace(plan, orders_per_day=max(1, round(plan.orders_per_day * about / found)))
    count = 0
    with path.open("wb") as out:
        for one in market(plan):
            out.write(b'{"topic":"%s","value":%s}\n' % (one.topic.encode(), one.encode()))
            count += 1
    return path, count


async def _replayed(path: Path, folder: Path, native: str) -> Spent:
    """`parcelwatch replay` of the file."""
    command = [sys.executable, "-m", "streams", "replay", str(path), "--out", str(folder / "out"), "--native", native]
    with Child(command, folder / "replay.log") as child:
        spent = await child.ending()
        if spent.status:
            raise RuntimeError(child.said())
    return spent


def _row(stream: str, native: str, count: int, spent: Sequence[Spent]) -> list[Cell]:
    one = sorted(spent, key=lambda each: each.wall)[len(spent) // 2]
    rates = [count / each.wall for each in spent]
    return [stream, native, count, round(one.wall, 1), round(one.cpu, 1), round(count / one.wall),
            round(one.memory / 1e6), f"{min(rates):,.0f} to {max(rates):,.0f}"]  # fmt: skip


async def run(asked: Asked) -> list[Table]:
    natives = ("on", "off") if find_spec("parcelwatch_native") is not None else ("off",)
    events = asked.size(EVENTS, least=2000, multiple=2 * EACH)
    scans = asked.size(SCANS_ALONE, least=2000, multiple=2 * EACH)
    made = {
        "scans": scans_file(asked.folder, scans),
        "everything": market_file(asked.folder, "everything", events, _DAYS),
    }
    speeds: list[list[Cell]] = []
    stages: list[list[Cell]] = []
    for stream, (path, count) in made.items():
        found: dict[str, list[Spent]] = {native: [] for native in natives}
        for _ in range(asked.rounds(ROUNDS)):
            for native, spent in found.items():
                spent.append(await _replayed(path, asked.folder, native))
        speeds += [_row(stream, native, count, spent) for native, spent in found.items()]
        stages.append(costs(path).row(stream))
        path.unlink()
    columns = ["stream", "native", "events", "wall s", "CPU s", "events a second", "most memory, MB",
               f"events a second, of {asked.rounds(ROUNDS)} rounds"]  # fmt: skip
    return [
        Table("replay", columns, speeds),
        Table("replay-stages", ["CPU µs an event", "events", *STAGES, "all"], stages),
    ]
