"""The due index and the ties in Rust give what those in Python give."""

from __future__ import annotations

from typing import Any

import parcelwatch_native
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.due_keys import BUCKET, DueIndex, DueKeys
from streams.rules.shipments.scan_status import BITS
from streams.stages.shipments.native_ties import NativeTies
from streams.stages.shipments.parcel_rows import FORMAT, NEVER, due_of, pack_header
from streams.stages.shipments.scan_ties import TieBook, Ties
from tests.unit.stages.one_reader import SOME

KEYS = st.sampled_from([b"a", b"b", b"c", b"d" * 300])
MOMENTS = st.integers(-BUCKET, 8 * BUCKET) | st.integers(-1, 8).map(lambda hour: hour * BUCKET)
#: A key and its moment; or a moment up to which all is taken out, and how many are taken before it is begun again.
STEPS = st.lists(st.tuples(KEYS, MOMENTS) | st.tuples(st.integers(1, 4), MOMENTS), max_size=40)


class Indexed:
    """Rows with their due times, and an index over them. `besides`: keys whose row does not tell."""

    def __init__(self, rows: Any, besides: dict[bytes, int]) -> None:
        self.rows, self.besides = rows, besides

    def moment_of(self, key: bytes) -> int | None:
        if key in self.besides:
            return self.besides[key]
        row = self.rows.get(key)
        return None if row is None else due_of(row)

    def play(self, index: DueIndex, steps: list[tuple[bytes | int, int]]) -> list[bytes | None]:
        found: list[bytes | None] = []
        for what, moment in steps:
            if isinstance(what, bytes):
                self.rows[what] = pack_header(FORMAT if moment % 5 else 0, 0, moment if moment % 7 else NEVER, 0)
                index.put(moment, what)
                continue
            for _, key in zip(range(what), index.pop(moment), strict=False):
                found.append(key)
                if key is not None:
                    # Due later, or never again.
                    self.rows[key] = pack_header(FORMAT, 0, moment + BUCKET // 2 if key != b"b" else NEVER, 0)
                    self.besides.pop(key, None)
                    if key != b"b":
                        index.put(moment + BUCKET // 2, key)
            found.append(None)
        found += index.pop(20 * BUCKET)
        assert index.size == 0
        return found


@SOME
@given(steps=STEPS, besides=st.dictionaries(KEYS, MOMENTS, max_size=2))
def test_keys_come_out_of_both_indexes_in_one_order(
    steps: list[tuple[bytes | int, int]], besides: dict[bytes, int]
) -> None:
    plain = Indexed({}, dict(besides))
    expected = plain.play(DueKeys(plain.moment_of), steps)
    for rows in (parcelwatch_native.Rows(), None):
        other = Indexed({} if rows is None else rows, dict(besides))
        index = parcelwatch_native.DueKeys(other.moment_of, other.besides)
        index.look_in(rows)
        assert other.play(index, steps) == expected


def test_what_tells_a_moment_may_fail() -> None:
    index = parcelwatch_native.DueKeys(lambda _: 1 // 0, {})
    index.put(5, b"a")
    with pytest.raises(ZeroDivisionError):
        next(index.pop(6))
    assert index.size == 0


TEXTS = st.sampled_from(["a", "b", "中" * 128, "e" * 31, "e" * 32, "\U0001f4e6"])
VALUES = st.sampled_from([b"", b"one", b"two", b"v" * 300])
PACKED = st.integers(-3, 12).map(lambda time: time << BITS | 3) | st.sampled_from([1 << 33, -(1 << 40), 1 << 54])
NOTES = st.tuples(st.just("note"), KEYS, PACKED, TEXTS, VALUES)
ASKED = st.tuples(st.just("ask"), KEYS, PACKED, TEXTS, VALUES)
OTHERS = st.tuples(st.sampled_from(["settle", "collect", "restart"]), st.integers(0, 3))


def told(ties: Ties, steps: list[Any], make: Any) -> list[Any]:
    """What they tell, as the shipments' task uses them: nothing settled is asked for."""
    found: list[Any] = []
    rows: dict[bytes, bytes | None] = {}
    settled = -1 << 50
    for what, *given_ in steps:
        if what == "note":
            ties.note(*given_)
        elif what == "ask":
            if given_[1] >> BITS >= settled:
                found.append(ties.holds_against(*given_))
        elif what == "settle":
            settled = max(settled, 0) + given_[0]
            ties.settle(settled)
        else:
            changed: dict[bytes, bytes | None] = {}
            ties.collect(settled, changed)
            found.append(changed)
            rows.update(changed)
            if what == "restart":
                ties = make()
                ties.settle(settled)
                ties.rebuild((key, row) for key, row in rows.items() if row is not None)
    return found


@SOME
@given(steps=st.lists(NOTES | ASKED | OTHERS, max_size=60))
def test_ties_tell_the_same_and_leave_the_same_rows(steps: list[Any]) -> None:
    def native() -> NativeTies:
        return NativeTies(parcelwatch_native)

    assert told(native(), steps, native) == told(TieBook(), steps, TieBook)


def test_rows_of_many_notes_are_the_same() -> None:
    books: list[Ties] = [NativeTies(parcelwatch_native), TieBook()]
    rows: list[dict[bytes, bytes | None]] = [{}, {}]
    for book, found in zip(books, rows, strict=True):
        for number in range(3_000):
            book.note(b"k%d" % number, number << BITS, f"e{number}", b"%d" % number)
        book.collect(700, found)
    assert rows[0] == rows[1]
    assert len(rows[0]) == 5
