"""One carrier under several names: two shipments, or one where the policy says so."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import Any

import msgspec
import pytest

from schemas.decode import decode
from schemas.topics import ORDERS, SCANS
from streams.policy import load
from streams.policy.model import Carriers, Policy
from streams.stages.shipments import parcel_rows
from streams.stages.shipments.spellings import told
from streams.stages.single_reader import SingleReader

ONE_NAME = msgspec.structs.replace(load.default(), carriers=Carriers(canonical=True))
END = 1_775_000_000_000_000


def shipped(carrier: str, time: str = "2026-03-01T10:00:00Z") -> tuple[str, dict[str, Any]]:
    event = {"type": "order.shipped", "order_id": "A", "shop_id": "S", "tracking_no": "T1", "carrier": carrier}
    return ORDERS, {"event_id": f"e-{carrier}", "occurred_at": time, **event}


def scan(carrier: str, time: str, status: str = "picked_up") -> tuple[str, dict[str, Any]]:
    event = {"type": "scan", "tracking_no": "T1", "carrier": carrier, "status": status}
    return SCANS, {"event_id": f"s-{carrier}-{time}", "occurred_at": time, **event}


def reader_of(policy: Policy, *told_events: tuple[str, dict[str, Any]]) -> SingleReader:
    reader = SingleReader(policy)
    for topic, value in told_events:
        raw = json.dumps(value).encode()
        event, time = decode(topic, raw)
        reader.take(topic, event, time, raw)
    return reader


def alerts(reader: SingleReader) -> list[tuple[str, str | None, str | None]]:
    reader.finish(END)
    return [(alert.type, alert.carrier, alert.order_id) for alert in reader.drain()[0] if alert.status == "raised"]


PARTS = (shipped("zhongtong"), scan("ZTO", "2026-03-01T10:00:30Z"), scan("中通快递", "2026-03-01T10:20:00Z", "arrived"))


def test_two_names_are_two_shipments_by_default_and_that_is_told() -> None:
    reader = reader_of(load.default(), *PARTS)
    found = alerts(reader)
    assert ("shipment.not_collected", "zhongtong", "A") in found
    assert {carrier for type_, carrier, _ in found if type_ == "shipment.stalled"} >= {"ZTO", "中通快递"}
    assert told(reader.shipments.spellings.twice) is not None


def test_two_names_are_one_shipment_where_the_policy_says_so_and_its_first_name_is_shown() -> None:
    reader = reader_of(ONE_NAME, *PARTS)
    found = alerts(reader)
    assert {carrier for type_, carrier, _ in found if type_.startswith("shipment.")} == {"zhongtong"}
    assert ("shipment.stalled", "zhongtong", "A") in found
    assert not any(type_ == "shipment.not_collected" for type_, _, _ in found)
    assert told(reader.shipments.spellings.twice) is None


def test_the_first_name_is_that_of_the_first_event_in_whatever_order_events_come() -> None:
    expected = sorted(alerts(reader_of(ONE_NAME, *PARTS)))
    for order in itertools.permutations(PARTS):
        assert sorted(alerts(reader_of(ONE_NAME, *order))) == expected


def test_of_two_first_names_at_one_time_the_one_that_sorts_first_is_shown() -> None:
    one, other = scan("zto", "2026-03-01T10:00:00Z"), scan("ZTO", "2026-03-01T10:00:00Z", "arrived")
    for order in ((one, other), (other, one)):
        assert {carrier for _, carrier, _ in alerts(reader_of(ONE_NAME, *order))} == {"ZTO"}


def test_an_unknown_carrier_is_its_own_whatever_the_policy() -> None:
    reader = reader_of(ONE_NAME, scan("Nobody", "2026-03-01T10:00:00Z"), scan("nobody", "2026-03-02T10:00:00Z"))
    assert {carrier for _, carrier, _ in alerts(reader)} == {"Nobody", "nobody"}


def test_the_name_shown_is_part_of_the_row() -> None:
    book = reader_of(ONE_NAME, PARTS[1], scan("zhongtong", "2026-03-01T09:00:00Z")).shipments
    parcel = book.parcel("ZTO", "T1")
    assert parcel is not None
    assert (parcel.carrier, parcel.shown) == ("ZTO", "zhongtong")
    row = parcel_rows.encoded(parcel, book.names)
    assert parcel_rows.decoded("ZTO", "T1", row, book.names).shown == "zhongtong"


@pytest.mark.parametrize(("counts", "said"), [({}, None), ({("ZTO", "zto"): 2}, "2 tracking numbers came under two ")])
def test_numbers_under_two_names_are_one_line(counts: dict[tuple[str, str], int], said: str | None) -> None:
    line = told(Counter(counts))
    assert line is said is None or (line is not None and line.startswith(said or ""))
