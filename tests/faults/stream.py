"""The streams of the runs, and what a replay says of each; both are made once and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schemas.times import DAY, parse, render
from streams.marketplace.market import Plan, market
from tests import every_rule
from tests.connected.marketplace import Produced, is_valid

#: The marketplaces: ones whose first events fall into every partition soon.
SEEDS = (2, 3, 8, 9, 12, 15, 18, 20)

#: Where runs keep what they make.
FOLDER = Path(__file__).parents[2] / "target" / "faults"


@dataclass(frozen=True, slots=True)
class Stream:
    """Events in the order of arrival, those included that are none; `out`: what the replay says of the others."""

    events: Produced
    until: str
    policy: Path
    out: Path


@cache
def stream(number: int) -> Stream:
    """Stream `number`, and its replay."""
    events, greatest = _events(number)
    until = render(greatest + 9 * DAY)
    folder = FOLDER / "streams" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    policy, source, out = folder / "lively.toml", folder / "in.jsonl", folder / "out"
    policy.write_text(every_rule.POLICY)
    with source.open("wb") as file:
        file.writelines(
            b'{"topic":"%s","value":%s}\n' % (topic.encode(), value)
            for topic, key, value in events
            if is_valid(topic, key, value)
        )
    command = ("replay", str(source), "--out", str(out), "--until", until, "--policy", str(policy))
    subprocess.run([sys.executable, "-m", "streams", *command], check=True, stdout=subprocess.DEVNULL)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["late"] == 0, "the order of arrival would count"
    return Stream(events, until, policy, out)


def _events(number: int) -> tuple[Produced, int]:
    """A small marketplace, and parcels of every suspicious kind; the greatest time."""
    greatest, keyed = 0, []
    for made in market(Plan(seed=SEEDS[number], shops=8, orders_per_day=24, days=11, faults=0.004)):
        event = (made.topic, made.key.encode(), made.encode())
        if is_valid(*event):
            greatest = max(greatest, parse(json.loads(event[2])["occurred_at"]))
        keyed.append((greatest, event))
    keyed = sorted(keyed + every_rule.parcels(), key=lambda one: one[0])
    return [event for _, event in keyed], keyed[-1][0]
