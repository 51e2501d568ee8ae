"""Parts of the measurements that need no broker: sizes, stages by stack, quantiles, the cost of active shipments."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from bench import active, memory, sampled, watermarks
from bench.asked import Asked
from bench.child import Child
from bench.feed import BETWEEN, Parcels
from bench.host import STORES, is_in_memory
from bench.worker import quantile
from schemas.decode import Invalid, decode
from schemas.events import SCANS


def asked(folder: Path, divide: int) -> Asked:
    return Asked(folder, lambda _: None, divide=divide)


def test_sizes_are_divided_but_never_below_what_makes_sense(tmp_path: Path) -> None:
    assert asked(tmp_path, 20).size(2_000_000, least=2000, multiple=20) == 100_000
    assert asked(tmp_path, 3000).size(2_000_000, least=2000, multiple=20) == 2000
    assert asked(tmp_path, 7).size(100, multiple=20) == 20
    assert asked(tmp_path, 20).seconds(40.0, 4.0) == 4.0


async def test_every_silence_is_raised_whatever_the_number_of_active_shipments(tmp_path: Path) -> None:
    (table,) = await active.run(asked(tmp_path, 1000))
    assert [(row["state"], row["active shipments"]) for row in table.dicts()] == [
        (store, size) for store in STORES for size in (200, 200, 1000, 10_000)
    ]
    assert all(row["silences due"] == row["raised at their time"] == active.SILENT for row in table.dicts())


async def test_memory_is_measured_of_shipments_and_of_orders_with_either_store(tmp_path: Path) -> None:
    (table,) = await memory.run(asked(tmp_path, 100))
    assert [row[:2] for row in table.rows] == [[what, store] for what in ("shipments", "orders") for store in STORES]
    assert all(row["bytes of changelog for the last event of each"] > 0 for row in table.dicts())
    assert [row["bytes of disk each"] > 0 for row in table.dicts()] == [not is_in_memory(store) for store in STORES] * 2


def test_the_innermost_known_frame_tells_the_stage() -> None:
    counts: Counter[str] = Counter()
    sampled.sample(counts)
    try:
        while counts[sampled.DECODE] < 3:
            with pytest.raises(Invalid):
                decode(SCANS, b'{"type":"scan"}')
    finally:
        sampled.stop()
    assert set(counts) <= {sampled.DECODE, sampled.START, sampled.REST}


def test_a_quantile_is_the_least_that_so_large_a_part_is_not_above() -> None:
    found = [float(number) for number in range(100, 0, -1)]
    assert quantile(found, 0.5) == 51.0
    assert quantile(found, 0.99) == 100.0
    assert quantile([3.0], 0.99) == 3.0


def test_a_quantile_of_a_histogram_is_of_what_came_in_between() -> None:
    before = {'{le="0.1"}': 50.0, '{le="0.2"}': 50.0, '{le="+Inf"}': 50.0}
    after = {'{le="0.1"}': 50.0, '{le="0.2"}': 150.0, '{le="+Inf"}': 150.0}
    assert watermarks.quantile_of(before, after, 0.5) == pytest.approx(0.15)
    assert watermarks.quantile_of(before, before, 0.5) is None


@pytest.mark.parametrize("second", [0, 1, 5, 30])
def test_the_feed_is_even_from_its_first_second_on(second: int) -> None:
    parcels = Parcels(500, 4)
    now, counts = 1_000_000.0, [0] * 31
    for tick in range(31 * 100):
        counts[tick // 100] += sum(1 for _ in parcels.due(now + tick * BETWEEN / 100))
    # One parcel in 25 pauses, so that some are missing in any second but the first.
    assert counts[second] == pytest.approx(500, rel=0.1)


async def test_a_child_is_measured_to_its_end(tmp_path: Path) -> None:
    with Child([sys.executable, "-c", "print(sum(range(3_000_000)))"], tmp_path / "said") as child:
        spent = await child.ending()
    assert spent.status == 0
    assert spent.cpu > 0
    assert spent.memory > 1_000_000
    assert child.said().strip() == "4499998500000"
