"""The measurements on Kafka run, and refuse what is wrong. How fast anything is, no test says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench import comparison, latency, restore, workers
from bench.asked import Asked
from bench.contenders import CONTENDERS, SCANS_TOPIC
from bench.results import Table
from bench.scans import Scans
from bench.shipments import shipments
from bench.throughput import WrongError, check
from bench.traffic import produce
from tests.kafka_broker import Broker

#: Sizes divided by so much.
SMALL = 1000
NATIVE = find_spec("parcelwatch_native") is not None
Run = Callable[[Asked], Awaitable[list[Table]]]


async def small(run: Run, kafka: Broker, folder: Path) -> list[Table]:
    """parcelwatch alone, in so small that it says nothing."""
    return await run(Asked(folder, lambda _: None, divide=SMALL, ours=True, broker=kafka))


async def test_a_small_comparison_finds_every_alert_of_ours_with_either_store(kafka: Broker, tmp_path: Path) -> None:
    table, ratios = await small(comparison.run, kafka, tmp_path)
    measured = [row for row in table.dicts() if row["alerts"] is not None]
    assert {row[""] for row in table.dicts()} == {each.what for each in CONTENDERS if each.ours}
    # Without the part in Rust there is a line for it all the same.
    assert len(measured) == (5 if NATIVE else 2)
    assert {row["scans"] for row in measured} == {2004}
    assert {row["alerts"] for row in measured} == {len(Scans(2000).alerts)}
    assert {row["repeated alerts"] for row in measured} == {0}
    assert ratios.rows == []


async def test_a_stream_without_silence_and_one_of_escaped_json_are_measured(kafka: Broker, tmp_path: Path) -> None:
    (table,) = await small(comparison.run_streams, kafka, tmp_path)
    found = {(row["per cent silent"], row["JSON escaped"]): row["alerts"] for row in table.dicts()}
    assert list(found) == [(0, False), (1, False), (5, False), (5, True)]
    assert found[0, False] == 0
    assert found[5, True] == found[5, False] == len(Scans(2000).alerts)


async def test_two_workers_find_what_one_finds(kafka: Broker, tmp_path: Path) -> None:
    (table,) = await small(workers.run, kafka, tmp_path)
    found = {(row[""], row["workers"]): row["alerts"] for row in table.dicts()}
    pure = "parcelwatch worker, state in memory"
    assert [found[pure, number] for number in (1, 2)] == [len(Scans(2000).alerts)] * 2
    assert len(found) == (4 if NATIVE else 2)
    assert all(found[what, 1] == found[what, 2] for what, _ in found)


async def test_latencies_are_measured_of_what_is_raised_and_of_what_is_resolved(kafka: Broker, tmp_path: Path) -> None:
    found, *_ = await small(latency.run, kafka, tmp_path)
    assert len(found.rows) == 2
    # No alert can be read before its deadline.
    assert all(0 < row["p50"] <= row["p99"] <= row["most"] for row in found.dicts())


async def test_a_restore_reads_as_much_as_it_has_to(kafka: Broker, tmp_path: Path) -> None:
    asked = Asked(tmp_path, lambda _: None, divide=SMALL, ours=True, broker=kafka)
    (ours,) = await restore.parties(asked)
    measure = restore.Measure(asked, ours, 2000)
    await measure.start_empty()
    await produce(kafka.bootstrap, SCANS_TOPIC, shipments(2000))
    rows = await measure.restores()
    memory, *of_disks = [int(str(row[3])) for row in rows]
    assert min(memory, *of_disks[::2]) >= 2000  # wiped
    assert set(of_disks[1::2]) == {0}  # as it was left


def test_an_alert_too_few_or_too_many_is_no_result() -> None:
    expected = Scans(2000).alerts
    check("someone", set(expected), expected)
    one = min(expected)
    for found in (expected - {one}, expected | {one._replace(time=one.time + 1)}):
        with pytest.raises(WrongError, match="someone: "):
            check("someone", found, expected)
