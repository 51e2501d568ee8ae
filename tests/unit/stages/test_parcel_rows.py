"""A parcel and its row say the same, and what is folded into a row is what the parcel would say of it."""

from __future__ import annotations

import os
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Scan
from schemas.times import HOUR, MINUTE, parse
from streams.engine.processor import Horizon
from streams.policy import load
from streams.rules.alert import MERCHANT, PLATFORM
from streams.rules.reconcile import Emitted
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.scan_status import FIRST_TERMINAL, NAMES, RANK
from streams.stages.shipments import book as shipments
from streams.stages.shipments import parcel_rows
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.string_table import Names

T0 = parse("2026-03-02T00:00:00Z")
SOME = settings(max_examples=150, deadline=None, derandomize="CI" in os.environ)
TEXTS = st.text(min_size=1, max_size=4)
TIMES = st.integers(-(10**14), 10**16)

REGISTRATIONS = st.builds(
    Registration,
    time=TIMES, event_id=TEXTS, digest=st.binary(min_size=8, max_size=8), order_id=TEXTS, shop_id=TEXTS,
    from_region=st.none() | TEXTS, to_region=st.none() | TEXTS, placed=st.none() | TIMES,
    ship_to_region=st.none() | TEXTS,
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
    parcel.emitted = draw(st.lists(EMITTED, max_size=2))
    spans = st.tuples(TIMES, st.none() | TIMES)
    parcel.linked = draw(st.dictionaries(st.tuples(TEXTS, TEXTS), spans, max_size=2))
    parcel.last, parcel.due = draw(TIMES), draw(st.none() | TIMES)
    parcel.calm, parcel.finished, parcel.awaited = draw(
        st.sampled_from([(False, False, False), (True, False, False), (False, True, False), (False, False, True)])
    )
    return parcel


@SOME
@given(parcel=parcels(), most=st.sampled_from([0, 2, 1000]))
def test_a_parcel_comes_back_from_its_row_as_it_was(parcel: Parcel, most: int) -> None:
    names = Names(most)
    row = parcel_rows.encoded(parcel, names)
    assert parcel_rows.decoded(parcel.carrier, parcel.tracking_no, row, names) == parcel
    assert parcel_rows.due_of(row) == parcel.due
    stalled = any(sent.type == "shipment.stalled" and sent.state == "o" for sent in parcel.emitted)
    assert parcel_rows.is_stalled(row) == stalled


def test_names_come_back_under_their_numbers() -> None:
    names = Names()
    assert [names.number(text) for text in ("b", "a", "b")] == [1, 2, 1]
    again = Names()
    again.rebuild([(2, "a"), (1, "b")])
    assert (again.text(1), again.text(2), again.number("c")) == ("b", "a", 3)


def test_past_the_most_a_new_name_has_no_number() -> None:
    names = Names(most=1)
    assert names.short("a") == 1
    assert names.short("b") == "b"
    assert (names.short("a"), names.short(None), names.long("b"), names.long(1)) == (1, None, "b", "a")


def scan(number: int, time: int, status: str, facility: str | None) -> Scan:
    return Scan(
        event_id=f"e{number}", occurred_at="", tracking_no="T1", carrier="ZTO", status=status, facility=facility
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(40))
def test_scans_folded_in_leave_what_judging_each_of_them_leaves(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    # None is so long that it is kept as it is.
    monkeypatch.setattr(shipments, "BUSY", 1 << 30)
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
        assert (one.last, one.calm, one.awaited) == (other.last, other.calm, other.awaited)
        assert one.linked == other.linked
    shown = [sorted((a.type, a.status, a.time, a.episode) for a in book.alerts) for book in (quick, slow)]
    assert shown[0] == shown[1]
    assert shown[0] or any(status >= FIRST_TERMINAL for status in ranks)
