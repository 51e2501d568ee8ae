"""What is taken natively leaves the rows and says the words that Python does, byte by byte."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import parcelwatch_native
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.scans import EACH, Scans
from schemas.events import SCANS
from schemas.times import SECOND, render
from streams.engine.processor import Output
from streams.marketplace.market import Plan, market
from streams.policy import load
from streams.replay.batches import batches
from streams.replay.run import Replay
from streams.replay.runs import runs
from streams.stages.native_lines import NativeLines
from tests.oracle.streams import shuffle_on_time, streams
from tests.unit.rules.against_oracle import policies
from tests.unit.stages.cluster import Cluster, Event, written
from tests.unit.stages.one_reader import SOME, end_of

PERSON = {"note": "收件人已签收", "extra": {"a": [1, None]}}


def both(events: list[Event], until: int, policy: Any, seed: int, crash: float) -> tuple[Cluster, Cluster]:
    """The same schedule with and without the native path."""
    found = []
    for native in (parcelwatch_native, None):
        random = Random(seed)
        cluster = Cluster(policy, until, orders=2, scans=2, random=random, crash=crash, native=native)
        cluster.run(events)
        found.append(cluster)
    return found[0], found[1]


def in_order(cluster: Cluster) -> list[Output]:
    """What it has put out. Of one hour, what falls due comes in the order of the table that it was restored into."""
    return sorted(cluster.outputs, key=lambda one: (one.topic, one.key or b"", one.value or b"", one.headers))


@SOME
@given(events=streams(max_size=60, weeks=5, forgetting=False), seed=st.integers(0, 2**32 - 1))
def test_any_stream_leaves_the_same_rows_and_outputs(events: list[dict[str, Any]], seed: int) -> None:
    random = Random(seed)
    policy, _ = policies(random.choice(("default", "tmall-2026")), low=True)
    until = end_of(events, random)
    arrival = [written(event) for event in shuffle_on_time(events, random)]
    native, plain = both(arrival, until, policy, seed, random.choice((0, 0.2)))
    assert in_order(native) == in_order(plain)
    assert [native.rows(name) for name in native.tasks] == [plain.rows(name) for name in plain.tasks]


@pytest.mark.parametrize("seed", range(6))
def test_busy_disorder_leaves_the_same_rows(seed: int) -> None:
    """Few parcels and many scans: repeats, ties, late ones, ends, registrations in between."""
    random = Random(seed)
    policy = load.default()
    now, events = 1_772_000_000, list[Event]()
    for number in range(1_500):
        now += random.choice((0, 1, 600, 4_000, 40_000))
        at = now - random.choice((0, 0, 0, 1, 1_800, 3_599, 9_000))
        parcel = random.randrange(25)
        value = {
            "event_id": f"e{random.randrange(1_400)}", "type": "scan", "carrier": random.choice(("ZTO", "SF", "zto")),
            "occurred_at": _shown(at), "tracking_no": f"T{parcel}", "facility": random.choice((None, "甲", "乙")),
            "status": random.choice(parcelwatch_native.statuses()[: 11 + 3 * (random.random() < 0.02)]),
        }  # fmt: skip
        events.append((SCANS, json.dumps(value | PERSON, ensure_ascii=number % 2 == 0).encode()))
        if random.random() < 0.03:
            shipped = {
                "event_id": f"s{number}", "type": "order.shipped", "occurred_at": _shown(now), "carrier": "ZTO",
                "order_id": f"O{number}", "shop_id": "S", "tracking_no": f"T{parcel}",
            }  # fmt: skip
            events.append(("orders", json.dumps(shipped).encode()))
    native, plain = both(events, (now + 86_400) * 1_000_000, policy, seed, 0.1)
    assert in_order(native) == in_order(plain)
    assert [native.rows(name) for name in native.tasks] == [plain.rows(name) for name in plain.tasks]


def _shown(seconds: int) -> str:
    return render(seconds * SECOND)


def replayed(path: Path, folder: Path, *, native: bool) -> dict[str, bytes]:
    """The files of a replay."""
    replay = Replay(load.default())
    summary = (
        replay.take_runs(runs(path, parcelwatch_native), parcelwatch_native) if native else replay.take(batches(path))
    )
    replay.write(folder, summary)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_marketplace_is_replayed_to_the_same_bytes(ascii_only: bool, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    with path.open("wb") as out:
        for made in market(Plan(shops=6, orders_per_day=20, days=25, faults=0.01)):
            value = made.encode()
            if ascii_only and made.topic == SCANS:
                with suppress(ValueError):
                    value = json.dumps(json.loads(value)).encode()
            out.write(b'{"topic":"%s","value":%s}\n' % (made.topic.encode(), value))
        out.write(b'{"topic":"logistics-scans","value":null}\n\n{"topic":"logistics-scans"}\n')
    assert replayed(path, tmp_path / "n", native=True) == replayed(path, tmp_path / "p", native=False)


def taken_natively(path: Path, folder: Path, patching: pytest.MonkeyPatch) -> int:
    """How many lines a replay took natively; it comes to the same files as one without."""
    taken = []
    take = NativeLines.take

    def counting(self: NativeLines, lines: Any, topics: Any, start: int) -> int:
        reached = take(self, lines, topics, start)
        taken.append(reached - start)
        return reached

    patching.setattr(NativeLines, "take", counting)
    assert replayed(path, folder / "n", native=True) == replayed(path, folder / "p", native=False)
    return sum(taken)


def test_most_scans_are_taken_natively(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "in.jsonl"
    scans = Scans(200 * EACH)
    with path.open("wb") as out:
        out.writelines(b'{"topic":"%s","value":%s}\n' % (SCANS.encode(), one.value) for one in scans)
    # Not taken: the first of a carrier or a facility, the ends of long silences and what follows.
    assert taken_natively(path, tmp_path, monkeypatch) > 0.7 * len(scans)


def test_most_lines_of_a_marketplace_that_promises_deliveries_are_taken_natively(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.jsonl"
    lines = [
        b'{"topic":"%s","value":%s}\n' % (made.topic.encode(), made.encode())
        for made in market(Plan(shops=4, orders_per_day=20, days=15))
    ]
    assert any(b'"deliver_by"' in line for line in lines)
    path.write_bytes(b"".join(lines))
    # Not taken: what ends a promised parcel, and the ends of long silences.
    assert taken_natively(path, tmp_path, monkeypatch) > 0.75 * len(lines)
