"""Commits without transactions, cut off at any row."""

from __future__ import annotations

import gc

import pytest

from streams.engine.collector import paused
from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.log.journal import Intent, Reader, intent, refuse, seal, sealed
from streams.engine.processor import Output

AT = TopicPartition("changes", 0)
FIRST = Transaction(AT, rows={b"pa": b"1", b"pb": b"1"}, outputs=[Output("out", b"k", b"v", (("h", b"x"),))])
SECOND = Transaction(AT, rows={b"pa": b"2", b"pb": None, b"pc": b"2"}, envelopes=[(TopicPartition("in", 3), b"e")])


def processors(rows: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {key: row for key, row in rows.items() if key[:1] == b"p"}


@pytest.mark.parametrize("cut", range(len(sealed(SECOND, {})) + 1))
def test_a_commit_holds_with_its_last_row_and_not_before(cut: int) -> None:
    rows = sealed(SECOND, {})
    reader = Reader()
    reader.take([*sealed(FIRST, {}), *rows[:cut]])
    torn = reader.end()
    if cut == len(rows):
        assert processors(reader.rows) == {b"pa": b"2", b"pc": b"2"}
        assert intent(reader.rows) == Intent([], SECOND.envelopes)
        assert torn == {}
        return
    assert processors(reader.rows) == {b"pa": b"1", b"pb": b"1"}
    assert intent(reader.rows) == Intent(FIRST.outputs, [])
    # The next commit undoes what was cut off, whatever it is about itself.
    again = Reader()
    again.take([*sealed(FIRST, {}), *rows[:cut], *sealed(Transaction(AT, rows={b"pz": b"3"}), torn)])
    assert again.end() == {}
    assert processors(again.rows) == {b"pa": b"1", b"pb": b"1", b"pz": b"3"}


def test_what_is_too_large_for_one_row_is_sent_whole() -> None:
    large = Transaction(AT, outputs=[Output("out", b"k", b"%d" % number * 10_000) for number in range(100)])
    rows = sealed(large, {})
    assert max(len(row or b"") for _, row in rows) <= 400_000
    assert len(rows) > 3
    reader = Reader()
    reader.take(rows)
    reader.end()
    assert intent(reader.rows) == Intent(large.outputs, [])


def test_without_any_seal_everything_holds() -> None:
    reader = Reader()
    reader.take([(b"pa", b"1"), (b"pb", b"1"), (b"pa", None)])
    assert reader.end() == {}
    assert reader.rows == {b"pb": b"1"}
    refuse(AT, reader.rows)


def test_rows_under_a_seal_are_refused_where_transactions_are_relied_on() -> None:
    with pytest.raises(FatalError, match="at_least_once"):
        refuse(AT, {b"pa": b"1", seal()[0]: seal()[1] or b""})


def test_the_collector_is_away_until_the_last_block_ends_and_comes_back_only_where_it_was_there() -> None:
    assert gc.isenabled()
    with paused():
        with paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
