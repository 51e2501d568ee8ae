"""Rows of the shipments task without what is to go."""

from __future__ import annotations

from itertools import repeat

import msgspec

from streams.forget.parcels import Search, without_names, without_scans
from streams.rules.shipments.stall_clusters import Facility
from streams.stages.shipments.scan_ties import TieBook

encode = msgspec.msgpack.encode


def test_what_decides_between_scans_goes_with_them() -> None:
    ties = TieBook()
    for key in (b"p001A", b"p001B"):
        ties.note(key, 7 << 8, "e1", key)
    rows: dict[bytes, bytes | None] = {}
    ties.collect(0, rows)
    ((key, row),) = rows.items()
    assert row is not None
    assert Search((), ()).may_be(key, row)
    left = without_scans(row, {(b"p001A", 7 << 8)})
    assert left is not None
    assert b"p001A" not in left
    assert b"p001B" in left
    assert without_scans(left, {(b"p001B", 7 << 8)}) is None
    assert without_scans(row, {(b"p001A", 8 << 8)}) == row


def test_a_stall_still_counts_at_its_facility_without_its_name() -> None:
    row = encode(Facility("Hub", points=[(1, "A/x"), (1, "B/x"), (2, "A/y")], days=[3], judged=4))
    changed = without_names(row, {"A/x"}, repeat("?"))
    assert changed is not None
    assert msgspec.msgpack.decode(changed, type=Facility).points == [(1, "?"), (1, "B/x"), (2, "A/y")]
    assert without_names(row, {"C/x"}, repeat("?")) is None


def test_rows_that_name_neither_are_passed_over_quickly() -> None:
    search = Search({"order-1"}, {("ZTO", "P1")})
    assert search.may_be(b"p001P1", b"")
    assert search.may_be(b"p001P2", b"@..order-1...")
    assert not search.may_be(b"p001P2", b"@..order-2...")
    assert not search.may_be(b"g..", b"@..order-1...")
