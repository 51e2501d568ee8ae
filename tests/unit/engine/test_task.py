"""What one task does by itself: watermarks, envelopes, and which of its inputs have to wait."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from streams.engine.clock import Clock
from streams.engine.envelopes import pack, unpack
from streams.engine.errors import FatalError
from streams.engine.log.interface import Fetched, TopicPartition, Transaction
from streams.engine.processor import (
    BEGINNING,
    Edge,
    Horizon,
    Record,
)
from streams.engine.task import Task
from streams.engine.topology import TaskId, Topology
from tests.unit.engine.task_double import DATAFLOW, HOUR, T0, Double, settle, times


def task_of(
    clock: Clock = Clock.stream(),  # noqa: B008 - it cannot be changed
    saved: Mapping[bytes, bytes] | None = None,
    now: int = T0,
) -> tuple[Task, Double]:
    double = Double()
    topology = Topology("app", DATAFLOW, {"k": 2})
    return Task(topology, TaskId("k", 0), double, clock, lambda: now, saved or {}), double


def told(source: int, watermark: int, offset: int, *records: Any) -> Fetched:
    # The offset will do for a number: those of one source grow.
    (value,) = pack(source, offset + 1, Horizon(BEGINNING), Horizon(watermark), f"far-{source}", records)
    return Fetched(TopicPartition("app-loop", 0), [Record(offset, 0, None, value)], offset + 1)


def committed(task: Task) -> Transaction:
    transaction = task.snapshot()
    assert transaction is not None
    return transaction


def watermarks(transaction: Transaction) -> list[tuple[int, int]]:
    return [(target.partition, unpack(value).watermark) for target, value in transaction.envelopes]


@pytest.mark.parametrize(("beyond", "goes_out"), [(-1, False), (0, False), (1, True)], ids=["before", "at", "beyond"])
def test_a_watermark_goes_out_without_records_once_it_is_beyond_the_hour(beyond: int, goes_out: bool) -> None:
    task, _ = task_of()
    task.accept(times("a", T0 + HOUR - 1 + 60))
    settle(task)
    committed(task)
    task.accept(times("a", T0 + HOUR + 60 + beyond, offset=1))
    settle(task)
    expected = [(0, T0 + HOUR + beyond), (1, T0 + HOUR + beyond)] if goes_out else []
    assert watermarks(committed(task)) == expected


def test_an_envelope_with_records_tells_its_receiver_the_watermark_of_the_moment() -> None:
    task, double = task_of()
    task.accept(times("a", T0 + 61))
    settle(task)
    committed(task)
    task.accept(times("a", T0 + 62, offset=1))
    double.effects.sends = {"loop": {1: ["x"]}}
    settle(task)
    transaction = committed(task)
    assert watermarks(transaction) == [(1, T0 + 2)]
    assert unpack(transaction.envelopes[0][1]).records == ["x"]


def test_a_watermark_does_not_go_out_before_the_slices_up_to_it_are_done() -> None:
    task, double = task_of()
    task.accept(times("a", T0 + 60))
    double.more = 2
    assert task.advance()
    assert watermarks(committed(task)) == []
    assert task.advance()
    assert not task.advance()
    assert watermarks(committed(task)) == [(0, T0), (1, T0)]


def test_a_horizon_is_the_least_over_all_inputs_and_all_senders() -> None:
    task, double = task_of()
    task.accept(times("a", T0 + 100))
    task.accept(times("b", T0 + 30))
    task.accept(told(0, T0 + 50, 0))
    settle(task)
    assert double.horizons[-1] == Horizon(BEGINNING)
    task.accept(told(1, T0 + 20, 1))
    settle(task)
    assert double.horizons[-1] == Horizon(T0 + 20)


def test_records_before_the_position_are_not_taken_again() -> None:
    task, _ = task_of()
    task.accept(times("a", T0, T0 + 1, T0 + 2))
    task.accept(times("a", T0 + 1, T0 + 2, T0 + 500, offset=1))
    assert task.positions()[TopicPartition("a", 0)] == 4
    assert task.external["a"].clock.greatest == T0 + 500
    assert task.external["a"].clock.late == 0


def test_nothing_is_committed_where_nothing_has_happened() -> None:
    task, _ = task_of(Clock.wall())
    settle(task)
    task.at_end("a", T0, 0)
    settle(task)
    first = task.snapshot()
    assert first is not None  # the first watermark
    task.at_end("a", T0 + 5, 0)
    settle(task)
    assert task.snapshot() is None


def test_a_task_restored_from_its_rows_is_where_it_was() -> None:
    task, _ = task_of()
    task.accept(times("a", T0 + 100, T0 + 70))
    task.accept(told(1, T0 + 20, 0, "r"))
    settle(task)
    rows = {key: row for key, row in committed(task).rows.items() if row is not None}
    again, double = task_of(saved=rows)
    assert again.restored
    assert again.positions() == task.positions()
    assert again.watermark("a") == task.watermark("a") == Horizon(T0 + 40)
    assert again.watermark("loop") == task.watermark("loop")
    assert double.restored == {b"got": b"('loop', 1, ['r'])"}
    settle(again)
    assert again.snapshot() is None


def test_a_restored_task_comes_to_where_it_was_before_it_takes_anything() -> None:
    task, double = task_of()
    task.accept(times("a", T0 + 100))
    task.accept(times("b", T0 + 30))
    for source in (0, 1):
        task.accept(told(source, T0 + 50, source))
    double.more = 2
    assert task.advance()  # and stops in the midst of the round
    rows = {key: row for key, row in committed(task).rows.items() if row is not None}
    again, double = task_of(saved=rows)
    double.more = 2
    again.accept(times("b", T0 + 35, offset=1))
    assert double.before == [Horizon(T0 + 30)] * 3
    settle(again)
    assert double.horizons[len(double.before) :] == [Horizon(T0 + 35)]


def test_a_task_that_goes_on_from_an_older_version_says_so_once_though_nothing_comes() -> None:
    task, _ = task_of()
    task.accept(times("a", T0 + 100))
    settle(task)
    rows = {key: row for key, row in committed(task).rows.items() if row is not None}
    format_, *progress = msgspec.msgpack.decode(rows[b"eprogress"])
    former = {**rows, b"eprogress": msgspec.msgpack.encode(progress)}
    again, _ = task_of(saved=former)
    settle(again)
    assert committed(again).rows == {b"eprogress": msgspec.msgpack.encode([format_, *progress])}
    assert again.snapshot() is None


def test_an_end_is_final_at_its_time_once_every_partition_is_read_to_its_end() -> None:
    task, double = task_of(Clock.end(T0))
    task.accept(times("a", T0 - 5))
    task.at_end("a", 0, 2)
    assert task.watermark("a") == Horizon(T0 - 65)
    task.accept(times("a", T0, offset=1))
    assert task.watermark("a") == Horizon(T0, final=True)
    task.at_end("b", 0, 0)
    for source in (0, 1):
        (value,) = pack(source, 1, Horizon(BEGINNING), Horizon(T0, True), "", [])
        task.accept(Fetched(TopicPartition("app-loop", 0), [Record(source, 0, None, value)], source + 1))
    settle(task)
    assert double.horizons[-1] == Horizon(T0, final=True)
    assert task.complete
    transaction = committed(task)
    assert task.final
    assert transaction.offsets[TopicPartition("a", 0)].metadata == f"final:{T0}"


@pytest.mark.parametrize(("end", "is_refused"), [(T0 + 39, True), (T0 + 40, False), (T0 + 41, False)])
def test_an_end_before_what_has_been_read_is_refused(end: int, is_refused: bool) -> None:
    task, _ = task_of()
    task.accept(times("a", T0 + 100))
    settle(task)
    rows = {key: row for key, row in committed(task).rows.items() if row is not None}
    with pytest.raises(FatalError, match="k-0 has read a beyond the end of the clock") if is_refused else nullcontext():
        task_of(Clock.end(end), rows)


def test_a_task_that_was_read_to_its_end_takes_a_later_one_alone() -> None:
    task, _ = task_of(Clock.end(T0))
    task.at_end("a", 0, 0)
    settle(task)
    rows = {key: row for key, row in committed(task).rows.items() if row is not None}
    for end in (T0, T0 + 1):
        task_of(Clock.end(end), rows)
    with pytest.raises(FatalError, match="beyond the end of the clock"):
        task_of(Clock.end(T0 - 1), rows)


def test_records_for_all_on_an_edge_that_is_no_broadcast_are_a_fault() -> None:
    task, double = task_of()
    task.accept(times("a", T0))
    double.effects.sends = {"loop": {-1: ["x"]}}
    with pytest.raises(FatalError, match="no broadcast"):
        task.snapshot()


@pytest.mark.parametrize(("unsettled", "waits"), [(9, False), (10, False), (11, True)])
def test_an_input_far_ahead_waits_while_too_much_is_unsettled(unsettled: int, waits: bool) -> None:
    task, double = task_of()
    task.accept(times("a", T0 + 60))
    task.accept(times("b", T0 + HOUR + 1))
    for source in (0, 1):
        task.accept(told(source, T0 + HOUR, source))
    double.unsettled = unsettled
    assert task.ahead(10) == (frozenset({"b"}) if waits else frozenset())


def test_a_large_envelope_is_cut_and_tells_its_watermark_at_its_end() -> None:
    records = ["x" * 100] * 10
    packed = [unpack(value) for value in pack(3, 7, Horizon(5), Horizon(9), "", records, largest=400)]
    assert [record for each in packed for record in each.records] == records
    assert [each.watermark for each in packed] == [5] * (len(packed) - 1) + [9]
    assert all(len(each.records) <= 3 for each in packed)
    assert [each.number for each in packed] == list(range(7, 7 + len(packed)))


def test_an_envelope_that_comes_again_is_not_taken_again() -> None:
    task, double = task_of()
    first, second = told(0, T0, 0, "x"), told(0, T0 + 1, 1, "y")
    for fetched in (first, second):
        task.accept(fetched)
    again = [first.records[0]._replace(offset=2), second.records[0]._replace(offset=3)]
    task.accept(Fetched(first.source, again, 4))
    assert double.taken == ["x", "y"]
    assert task.positions()[first.source] == 4


def test_the_holder_of_an_edge_is_the_partition_that_the_last_of_its_sources_names() -> None:
    task, _ = task_of()
    assert task.holder("loop") == "k-0"
    task.accept(told(0, T0, 0))
    assert task.holder("loop") == "k-1"
    task.accept(told(1, T0 + 1, 1))
    assert task.holder("loop") == "far-0"
    task.accept(told(0, T0 + 2, 2))
    assert task.holder("loop") == "far-1"
    assert task.holder("a") == "a-0"


def test_an_envelope_names_who_holds_its_watermark_back() -> None:
    both = replace(DATAFLOW, edges=(Edge("loop", "k", "k", ("a", "b"), HOUR),))
    topology = Topology("app", both, {"k": 1})
    task = Task(topology, TaskId("k", 0), Double(), Clock.stream(), lambda: 0, {})
    for fetched, holder in (
        (times("a", T0 + HOUR), None),
        (times("b", T0 + 3 * HOUR), "a-0"),
        (times("a", T0 + 5 * HOUR, offset=1), "b-0"),
    ):
        task.accept(fetched)
        settle(task)
        assert [unpack(value).holder for _, value in committed(task).envelopes] == ([holder] if holder else [])
