"""Rows that are too large for the log lie in pieces: what comes out is the same, behind a restart too."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.errors import FatalError
from streams.engine.table import MemoryTable
from streams.rules.cases.case import Deferred
from streams.stages import changelog_rows, split_rows
from streams.stages.cases import table
from streams.stages.dataflow import SHIPMENTS_TASK
from streams.stages.shipments import book as shipments
from tests.oracle.streams import shuffle_on_time, streams
from tests.oracle.timeline import microseconds
from tests.unit.rules.against_oracle import difference, policies
from tests.unit.rules.arrivals import QUICK, ends, some
from tests.unit.stages.cluster import Cluster, written
from tests.unit.stages.one_reader import SOME, end_of, one_reader

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module", autouse=True)
def everything_is_large() -> Iterator[None]:
    """Pieces of a few bytes, and parcels that are busy from their first scan on."""
    with (
        patch.object(split_rows, "PIECE", 50),
        patch.object(table, "PIECE", 50),
        patch.object(changelog_rows, "PIECE", 50),
        patch.object(shipments, "BUSY", 0),
    ):
        yield


@QUICK
@given(events=streams(max_size=90, weeks=8, forgetting=True), seed=SEEDS)
def test_busy_parcels_say_what_the_oracle_says(events: list[dict[str, Any]], seed: int) -> None:
    random = Random(seed)
    until = ends(random, events)
    arrival = shuffle_on_time(events, random)
    assert not difference(events, arrival, until=until, steps=some(random, len(arrival)))


@pytest.mark.parametrize(("orders", "scans"), [(1, 1), (3, 2)])
@SOME
@given(events=streams(max_size=60, weeks=5, forgetting=True), seed=SEEDS)
def test_tasks_whose_rows_lie_in_pieces_crash_and_say_what_one_reader_says(
    orders: int, scans: int, events: list[dict[str, Any]], seed: int
) -> None:
    random = Random(seed)
    policy, _ = policies("default", low=True)
    until = end_of(events, random)
    arrival = [written(event) for event in shuffle_on_time(events, random)]
    crash, recent = random.choice((0, 0.1, 0.4)), random.choice((None, 0, 2))
    cluster = Cluster(policy, until, orders=orders, scans=scans, random=random, crash=crash, recent=recent)
    cluster.run(arrival)
    alerts, tables = one_reader(arrival, policy, until)
    assert cluster.alerts() == alerts
    assert cluster.tables() == tables
    # All but what decides between scans, which has a bound of its own.
    found = [cluster.rows(task) for task in cluster.tasks]
    rows = [row for each in found for key, row in each.items() if key[:1] == b"p" and key[1:2] != b"t"]
    assert max(map(len, rows)) <= 50 + 48


def test_a_parcel_lies_in_pieces_from_its_registration_on() -> None:
    policy, _ = policies("default", low=True)
    told = {
        "event_id": "e" * 60, "type": "order.shipped", "occurred_at": "2026-01-20T00:30:00Z", "shop_id": "S1",
        "order_id": "A" * 60, "carrier": "SF", "tracking_no": "T",
    }  # fmt: skip
    arrival = [written({"topic": "orders", "value": told})]
    until = microseconds("2026-01-25T00:00:00Z")
    cluster = Cluster(policy, until)
    cluster.step(arrival[0])
    shipments = next(name for name in cluster.tasks if name.kind == SHIPMENTS_TASK)
    parcels = [row for key, row in cluster.rows(shipments).items() if key[:2] == b"pp"]
    assert len(parcels) > 3
    assert max(map(len, parcels)) <= 50
    cluster.start(shipments)
    cluster.finish()
    assert (cluster.alerts(), cluster.tables()) == one_reader(arrival, policy, until)
    assert cluster.alerts()


def test_pieces_of_one_id_are_never_those_of_another() -> None:
    ids = ["a", "ab", "a\x00", "", "\uffff", "é", "a" * 300]
    keys = {split_rows.piece_key(b"c" + one.encode(), number) for one in ids for number in (0, 1, 255)}
    assert len(keys) == 3 * len(ids)
    assert all(split_rows.is_piece(key) for key in keys)
    assert not any(split_rows.is_piece(b"c" + one.encode()) for one in ids)
    assert {split_rows.owner_of(key) for key in keys} == {b"c" + one.encode() for one in ids}


def test_a_row_that_shrinks_leaves_no_pieces() -> None:
    rows = MemoryTable()
    split_rows.replace(rows, b"cA", 0, split_rows.split(b"cA", b"x" * 220))
    assert len(rows) == 5
    changed = split_rows.replace(rows, b"cA", 5, split_rows.split(b"cA", b"x" * 60))
    assert len(rows) == 2
    assert sum(row is None for row in changed.values()) == 3
    # The first piece is as it was.
    assert split_rows.piece_key(b"cA", 0) not in changed


def test_plain_rows_are_put_together_again() -> None:
    writer, changed = changelog_rows.ChangelogRows(), dict[bytes, bytes | None]()
    key = changelog_rows.row_key(b"p", 1)
    writer.put(changed, key, ["x" * 30] * 10)
    saved = {name: row for name, row in changed.items() if row is not None}
    reader = changelog_rows.ChangelogRows()
    ((name, whole),) = reader.whole(saved.items(), b"c")
    assert (name, changelog_rows._decode(whole)) == (key, ["x" * 30] * 10)
    reader.put(changed, key, None)
    assert not any(changed.values())


def test_a_row_of_a_format_to_come_is_refused() -> None:
    key = changelog_rows.row_key(b"p", 1)
    with pytest.raises(FatalError, match="format"):
        list(changelog_rows.ChangelogRows().whole([(key, b"\xc1\x02\x00\x01")], b"c"))


@pytest.mark.parametrize("pieces", [10, 255, 256, 257, 512, 4095])
def test_a_case_of_many_pieces_is_read_again(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_rows, "PIECE", 16)
    monkeypatch.setattr(table, "PIECE", 16)
    cases = table.Cases()
    case = cases.begin("A")
    case.deferred = [Deferred(1, "e", b"", "", "", False, b"")] * 3
    empty = len(msgspec.msgpack.encode(case))
    case.start, case.stalls = None, {"x" * max(pieces * 16 - empty - 12, 1): (1, None)}
    cases.changed.add("A")
    rows = dict(cases.fold())
    assert abs(len(rows) - 1 - pieces) <= 1
    again = table.Cases()
    again.rows.update({key: row for key, row in rows.items() if row is not None})
    assert again.get("A") == case
    assert [deferred for *_, deferred in again.headers()] == [3]
    again.drop("A")
    assert not again.rows.size()
