"""What is put out at a hand-over: every alert once, whatever each of the two applications knew."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.times import HOUR, parse, render
from schemas.topics import TopicNames
from streams.alerts.cloudevents import AlertWriter
from streams.engine.errors import FatalError
from streams.engine.partitioner import partition_for
from streams.engine.processor import Horizon, Record
from streams.grow import difference
from streams.grow.difference import Told
from streams.grow.plan import COPIED_FROM, Growth
from streams.grow.progress import behind
from streams.policy import load
from streams.rules.alert import RAISED, RESOLVED, Alert
from tests.unit.cli import run

T0 = parse("2026-03-02T00:00:00Z")
POLICY = load.default()
WRITER = AlertWriter(POLICY.label, POLICY.platform)


def alert(order: str, status: str = RAISED, hours: float = 0, episode: str = "e") -> bytes:
    """An order that is shipped late, as merchants read it."""
    at = T0 + round(hours * HOUR)
    resolution = None if status == RAISED else "shipped"
    evidence: dict[str, Any] = {"ship_by": render(at), "paid_at": render(at)}
    if status == RESOLVED:
        evidence = {"raised_at": render(at), "shipped_at": render(at)}
    (record,) = WRITER.records(
        Alert("order.ship_late", order, status, at, ("merchant",), "S", order, None, episode, resolution, evidence)
    )
    return record.value


def handed_over(old: list[bytes], muted: list[bytes], *, incomplete: bool = False) -> list[tuple[str, str, str | None]]:
    """(subject, status, resolution) of what is put out."""
    told = Told()
    for value in old:
        told.take(value)
    outputs = [*difference.alerts("merchant", told, muted, incomplete=incomplete)]
    outputs += difference.resolutions("merchant", told, WRITER, T0 + 9 * HOUR)
    assert all(output.key == b"S" for output in outputs)
    assert all(
        output.headers == (("content-type", b"application/cloudevents+json; charset=UTF-8"),) for output in outputs
    )
    values = [json.loads(output.value or b"") for output in outputs]
    return [(one["subject"], one["data"]["status"], one["data"]["resolution"]) for one in values]


def test_where_both_say_the_same_nothing_is_put_out() -> None:
    both = [alert("A"), alert("B"), alert("A", RESOLVED, 1)]
    assert handed_over(both, both) == []


def test_what_the_old_one_had_not_come_to_is_put_out_in_order() -> None:
    old, more = [alert("A")], [alert("A", RESOLVED, 1), alert("B", hours=2), alert("B", RESOLVED, 3)]
    assert handed_over(old, [*old, *more]) == [
        ("A", "resolved", "shipped"), ("B", "raised", None), ("B", "resolved", "shipped"),
    ]  # fmt: skip


def test_what_the_new_one_knows_nothing_of_is_resolved() -> None:
    assert handed_over([alert("A"), alert("B")], [alert("B")]) == [("A", "resolved", "late_event")]


def test_what_is_resolved_already_is_left_alone() -> None:
    assert handed_over([alert("A"), alert("A", RESOLVED, 1)], []) == []


def test_episodes_of_one_subject_are_kept_apart() -> None:
    old = [alert("A", episode="1"), alert("A", RESOLVED, 1, "1"), alert("A", hours=2, episode="2")]
    assert handed_over(old, [alert("A", episode="1"), alert("A", RESOLVED, 1, "1")]) == [
        ("A", "resolved", "late_event")
    ]


@pytest.mark.parametrize(("hours", "put_out"), [(1.9, []), (2, [("new", "raised", None)])])
def test_what_is_older_than_all_that_is_kept_was_told_where_alerts_have_gone(hours: float, put_out: list[Any]) -> None:
    kept = [alert("A", hours=2)]
    assert handed_over(kept, [*kept, alert("new", hours=hours)], incomplete=True) == put_out
    assert handed_over(kept, [*kept, alert("new", hours=hours)]) == [("new", "raised", None)]


def test_a_table_is_the_last_record_of_each_key() -> None:
    records = [Record(0, 0, b"a", b"1"), Record(1, 0, b"b", b"1"), Record(2, 0, b"a", b"2"), Record(3, 0, b"b", None)]
    assert [(one.key, one.value) for one in difference.table("help-rates", records)] == [(b"a", b"2")]


def letter(offset: int, *more: tuple[str, bytes]) -> Record:
    where = (("source-topic", b"orders"), ("source-partition", b"0"), ("source-offset", b"%d" % offset))
    return Record(offset, 0, b"k", None, (*more, *where))


def test_a_copy_of_what_the_old_one_has_buried_is_not_buried_again() -> None:
    old = [letter(3)]
    muted = [letter(7, (COPIED_FROM, b"orders/0/3")), letter(8, (COPIED_FROM, b"orders/0/4")), letter(9)]
    assert [each.headers for each in difference.letters("orders.dlq", old, muted)] == [
        muted[1].headers,
        muted[2].headers,
    ]


@pytest.mark.parametrize(("reached", "enough"), [(9, False), (10, True), (11, True)])
def test_the_new_one_has_to_have_come_as_far_as_the_old_one(reached: int, enough: bool) -> None:
    old = {("orders", "own"): [Horizon(10), Horizon(8)]}
    new = {("orders", "own"): [Horizon(12), Horizon(reached)]}
    assert (behind(old, new, {"orders": 2}) is None) == enough
    assert "have not begun" in (behind(old, new, {"orders": 3}) or "")


def test_the_two_have_names_of_their_own() -> None:
    plain, other = TopicNames(), TopicNames.prefixed("v2.")
    shared = other.named({"help-rates": "help-rates"})
    for app_id, names in (("one", other), ("two", plain), ("two", shared)):
        with pytest.raises(FatalError, match=r"of its own|of their own"):
            Growth("one", plain, app_id, names, POLICY, partition_for).check()
    Growth("one", plain, "two", other, POLICY, partition_for).check()


def test_mistakes_are_told_in_one_line() -> None:
    needed = ("--to-app-id", "two", "--to-prefix", "v2.")
    for options in (
        ("copy",), ("move", *needed), ("copy", "--to-app-id", "a b", "--to-prefix", "v2."),
        ("copy", *needed, "--app-id", "two"), ("copy", "--to-app-id", "two"),
        ("copy", *needed, "--to-topics", "orders=orders"), ("copy", *needed, "--to-topics", "orders=two-links"),
        ("copy", *needed, "--broker", "kafka://127.0.0.1:1"),
    ):  # fmt: skip
        ended = run("grow", *options)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert len(ended.stderr.splitlines()) == 1
