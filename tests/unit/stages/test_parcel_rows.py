"""A parcel and its row say the same, and what is folded into a row is what the parcel would say of it."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Scan
from schemas.times import HOUR, MINUTE, SECOND, parse
from streams.engine.processor import Horizon
from streams.policy import load
from streams.rules.alert import MERCHANT, PLATFORM
from streams.rules.reconcile import Emitted, in_order
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.scan_status import FIRST_TERMINAL, NAMES, RANK
from streams.stages.shipments import book as shipments
from streams.stages.shipments import parcel_rows
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.string_table import Names
from streams.stages.split_rows import is_piece

T0 = parse("2026-03-02T00:00:00Z")
SOME = settings(max_examples=150, deadline=None, derandomize="CI" in os.environ)
TEXTS = st.text(min_size=1, max_size=4)
TIMES = st.integers(-(10**14), 10**16)

REGISTRATIONS = st.builds(
    Registration,
    time=TIMES, event_id=TEXTS, digest=st.binary(min_size=8, max_size=8), order_id=TEXTS, shop_id=TEXTS,
    from_region=st.none() | TEXTS, to_region=st.none() | TEXTS, placed=st.none() | TIMES,
    ship_to_region=st.none() | TEXTS, deliver_by=st.none() | TIMES, paid=st.none() | TIMES,
)  # fmt: skip
EMITTED = st.builds(
    Emitted,
    type=st.sampled_from(["shipment.slow", "shipment.stalled"]), subject=TEXTS, anchor=TIMES, raised=TIMES,
    episode=TEXTS, audiences=st.sampled_from([(PLATFORM,), (MERCHANT, PLATFORM)]), shop_id=st.none() | TEXTS,
    order_id=st.none() | TEXTS, carrier=TEXTS, state=st.sampled_from("orv"), place=st.none() | TEXTS,
)  # fmt: skip


@st.composite
def parcels(draw: st.DrawFn) -> Parcel:
    parcel = Parcel(draw(TEXTS), draw(TEXTS))
    for packed, facility in draw(st.lists(st.tuples(TIMES, st.none() | TEXTS), max_size=6)):
        parcel.add_scan(packed, facility)
    for registration in draw(st.lists(REGISTRATIONS, max_size=3)):
        parcel.add_registration(registration)
    parcel.emitted = sorted(draw(st.lists(EMITTED, max_size=2)), key=in_order)
    spans = st.tuples(TIMES, st.none() | TIMES)
    parcel.linked = draw(st.dictionaries(st.tuples(TEXTS, TEXTS), spans, max_size=2))
    parcel.last, parcel.due = draw(TIMES), draw(st.none() | TIMES)
    parcel.calm, parcel.awaited = draw(st.sampled_from([(False, False), (True, False), (False, True)]))
    return parcel


@SOME
@given(parcel=parcels(), most=st.sampled_from([0, 2, 1000]))
def test_a_parcel_comes_back_from_its_row_as_it_was(parcel: Parcel, most: int) -> None:
    names = Names(most)
    row = parcel_rows.encoded(parcel, names)
    assert parcel_rows.decoded(parcel.carrier, parcel.tracking_no, row, names) == parcel
    assert parcel_rows.due_of(row) == parcel.due


def test_names_come_back_under_their_numbers() -> None:
    names = Names()
    first, second = names.number("b"), names.number("a")
    assert (names.number("b"), names.changed) == (first, [first, second])
    again = Names()
    again.rebuild([(second, "a"), (first, "b"), (7, "counted")])
    assert (again.text(first), again.number("a"), again.number("counted"), again.carrier("counted")) == (
        "b", second, 7, 7,
    )  # fmt: skip


def test_numbers_do_not_depend_on_which_name_came_first() -> None:
    numbers = []
    for texts in ("ab", "ba"):
        names = Names()
        for text in texts:
            names.number(text)
            names.carrier(text)
        numbers.append([(names.number(text), names.carrier(text)) for text in "ab"])
    assert numbers[0] == numbers[1]
    assert all(carrier < 1 << 24 <= other < (1 << 32) - 1 for other, carrier in numbers[0])


def test_past_the_most_a_new_name_has_no_number() -> None:
    names = Names(most=1)
    number = names.short("a")
    assert isinstance(number, int)
    assert names.short("b") == "b"
    assert (names.short("a"), names.short(None), names.long("b"), names.long(number)) == (number, None, "b", "a")


def scan(number: int, time: int, status: str, facility: str | None) -> Scan:
    return Scan(
        event_id=f"e{number}", occurred_at="", tracking_no="T1", carrier="ZTO", status=status, facility=facility
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(40))
def test_scans_folded_in_leave_what_judging_each_of_them_leaves(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    # None is so long that it is kept as it is.
    monkeypatch.setattr(shipments, "BUSY", 1 << 30)
    monkeypatch.setattr(parcel_rows, "BUSY", 1 << 30)
    policy = load.default()
    quick, slow = ShipmentBook(policy), ShipmentBook(policy)
    # Without numbers for facilities nothing is folded in.
    slow.names = Names(most=0)
    now, ranks = T0, []
    if seed % 2:
        for book in (quick, slow):
            book.register(("shipped", "ZTO", "T1", T0, "r1", b"12345678", "O1", "S1", None, None, None, None))
    for number in range(60):
        now += random.choice((0, MINUTE, 5 * HOUR, 30 * HOUR, 80 * HOUR, 200 * HOUR))
        time = now - random.choice((0, 0, 1, MINUTE, 30 * MINUTE))
        status = random.choice(NAMES if random.random() < 0.03 else NAMES[:FIRST_TERMINAL])
        ranks.append(RANK[status])
        event = scan(number, time, status, random.choice(("F1", "F2")))
        value = b'{"event_id":"e%d"}' % number
        assert quick.scan(event, time, value) == slow.scan(event, time, value)
        if random.random() < 0.5:
            for book in (quick, slow):
                book.advance(Horizon(now - HOUR), Horizon(now - HOUR))
        one, other = quick.parcel("ZTO", "T1"), slow.parcel("ZTO", "T1")
        assert one is not None
        assert other is not None
        assert (list(one.scans), one.facilities, one.emitted) == (list(other.scans), other.facilities, other.emitted)
        if one.calm or one.awaited:
            # Else a scan may wait until it is settled.
            assert (one.last, one.calm, one.awaited, one.due) == (other.last, other.calm, other.awaited, other.due)
        assert one.linked == other.linked
    for book in (quick, slow):
        book.advance(Horizon(now + 1), Horizon(now + 1))
    one, other = quick.parcel("ZTO", "T1"), slow.parcel("ZTO", "T1")
    assert one == other
    shown = [sorted((a.type, a.status, a.time, a.episode) for a in book.alerts) for book in (quick, slow)]
    assert shown[0] == shown[1]
    assert shown[0] or any(status >= FIRST_TERMINAL for status in ranks)


def test_no_key_with_a_number_in_it_looks_like_a_piece_of_a_split_row() -> None:
    names = Names()
    for text in map(str, range(3_000)):
        parcel = parcel_rows.PARCEL_LETTER + names.carrier(text).to_bytes(3) + b"P1"
        assert not is_piece(parcel), text
        assert not is_piece(b"n" + names.number(text).to_bytes(4)), text


def a_row(flags: int, registered: tuple[Any, ...], names: Names) -> bytes:
    """One of a parcel with that registration, and a scan at F1."""
    rare = msgspec.msgpack.encode(([registered], [], [], {}, None))
    scan_of = parcel_rows.pack_scan(T0 << 4 | RANK["arrived"], names.number("F1"))
    return parcel_rows.pack_header(flags, T0, parcel_rows.NEVER, len(rare)) + rare + scan_of


# What is no flag says nothing in a row of the format before.
@pytest.mark.parametrize("more", [0, 2, 4])
def test_a_row_of_the_format_before_is_read_and_written_anew(more: int) -> None:
    names = Names()
    shop, region = names.number("S1"), names.number("浙江")
    registered = (T0, "e1", b"12345678", "O1", shop, None, region, T0 - HOUR, None)
    former = a_row(parcel_rows.FORMER | more, registered, names)
    parcel = parcel_rows.decoded("ZTO", "T1", former, names)
    assert parcel.registrations == [Registration(T0, "e1", b"12345678", "O1", "S1", None, "浙江", T0 - HOUR)]
    assert parcel.facilities == ["F1"]
    again = parcel_rows.encoded(parcel, names)
    assert again[0] & parcel_rows.FORMATS == parcel_rows.FORMAT
    assert parcel_rows.decoded("ZTO", "T1", again, names) == parcel
    # Nothing of what was added is there, and the row has not grown.
    assert len(again) <= len(former)


@pytest.mark.parametrize("deliver_by", [None, 3 * HOUR])
@pytest.mark.parametrize(
    ("placed", "of_placed"), [(T0 - HOUR, -7200), (T0 - HOUR + 7, 2 * (7 - HOUR) + 1), (None, None)]
)
def test_a_row_whose_times_all_run_from_the_shipping_is_read_and_written_anew(
    placed: int | None, of_placed: int | None, deliver_by: int | None
) -> None:
    names = Names()
    shop, paid = names.number("S1"), T0 - HOUR // 2
    later = (-3600,) if deliver_by is None else (-3600, 2 * 3 * 3600)
    row = a_row(parcel_rows.FORMAT, (T0, "e1", b"12345678", "O1", shop, None, None, of_placed, None, *later), names)
    parcel = parcel_rows.decoded("ZTO", "T1", row, names)
    promised = None if deliver_by is None else T0 + deliver_by
    assert parcel.registrations == [
        Registration(T0, "e1", b"12345678", "O1", "S1", placed=placed, deliver_by=promised, paid=paid)
    ]
    again = parcel_rows.encoded(parcel, names)
    assert again != row
    assert parcel_rows.decoded("ZTO", "T1", again, names) == parcel


@pytest.mark.parametrize("unit", [SECOND, 1_000])
@pytest.mark.parametrize("after", [0, 5_000, 3_600_000])
def test_a_payment_soon_after_the_order_makes_a_row_no_larger_than_it_was_without_it(unit: int, after: int) -> None:
    names = Names()
    placed = T0 - 26 * HOUR + 17 * unit
    shop = names.number("S1")
    former = a_row(parcel_rows.FORMER, (T0, "e1", b"12345678", "O1", shop, None, None, placed, None), names)
    parcel = parcel_rows.decoded("ZTO", "T1", former, names)
    parcel.registrations[0].paid = placed + after // 1_000 * unit
    row = parcel_rows.encoded(parcel, names)
    assert len(row) <= len(former)
    assert parcel_rows.decoded("ZTO", "T1", row, names) == parcel
