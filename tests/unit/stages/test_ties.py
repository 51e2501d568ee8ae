"""What decides between two scans is kept until they are settled, in rows that a log takes."""

from __future__ import annotations

from random import Random

from streams.rules.shipments.scan_status import BITS
from streams.stages.shipments.scan_ties import TieBook

#: Bytes of the largest record that Kafka takes by default.
LARGEST = 1 << 20


def collected(ties: TieBook, settled: int = 0) -> dict[bytes, bytes | None]:
    rows: dict[bytes, bytes | None] = {}
    ties.collect(settled, rows)
    return rows


def test_rows_are_small_however_many_scans_are_not_settled() -> None:
    ties = TieBook()
    for number in range(20_000):
        ties.note(b"p" + b"k" * 500, number << BITS, "\N{CJK UNIFIED IDEOGRAPH-5FEB}" * 128, b"%d" % number)
    rows = collected(ties)
    assert max(len(row or b"") for row in rows.values()) < LARGEST
    again = TieBook()
    again.rebuild((key, row) for key, row in rows.items() if row is not None)
    assert all(again.holds_against(b"p" + b"k" * 500, number << BITS, "\uffff", b"") for number in range(20_000))


def test_of_two_scans_the_first_by_event_id_then_by_digest_holds_before_and_behind_a_restart() -> None:
    random = Random(3)
    ties = TieBook()
    ties.note(b"k", 5 << BITS, "b", b"one")
    again = TieBook()
    again.rebuild((key, row) for key, row in collected(ties).items() if row is not None)
    others = [random.randbytes(8) for _ in range(50)]
    for book in (ties, again):
        assert book.holds_against(b"k", 5 << BITS, "c", b"two")
        assert not book.holds_against(b"k", 5 << BITS, "a", b"two")
        assert book.holds_against(b"k", 5 << BITS, "b", b"one")
        assert book.holds_against(b"other", 5 << BITS, "a", b"two")
    assert [ties.holds_against(b"k", 5 << BITS, "b", one) for one in others] == [
        again.holds_against(b"k", 5 << BITS, "b", one) for one in others
    ]
    assert len({ties.holds_against(b"k", 5 << BITS, "b", one) for one in others}) == 2


def test_the_one_that_was_noted_last_holds() -> None:
    ties = TieBook()
    ties.note(b"k", 5 << BITS, "b", b"one")
    assert not ties.holds_against(b"k", 5 << BITS, "a", b"two")
    ties.note(b"k", 5 << BITS, "a", b"two")
    assert ties.holds_against(b"k", 5 << BITS, "b", b"one")


def test_what_is_settled_goes_and_so_do_its_rows() -> None:
    ties = TieBook()
    ties.note(b"k", 5 << BITS, "b", b"one")
    (row,) = collected(ties)
    ties.settle(1)
    ties.note(b"k", 6 << BITS, "b", b"two")
    assert row not in collected(ties)
    ties.settle(6)
    assert collected(ties) == {row: None}
    assert ties.holds_against(b"k", 5 << BITS, "a", b"other")
    assert not ties.holds_against(b"k", 6 << BITS, "a", b"other")


def test_what_is_settled_already_is_not_collected() -> None:
    ties = TieBook()
    ties.note(b"k", 5 << BITS, "b", b"one")
    assert collected(ties, settled=6) == {}
    ties.note(b"k", 6 << BITS, "b", b"one")
    assert len(collected(ties, settled=6)) == 1
