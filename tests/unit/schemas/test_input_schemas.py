"""The schemas of inputs and the decoder agree on what is an event, but for what a schema cannot say."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from schemas import examples, generate
from schemas.decode import Invalid, Reason, decode
from schemas.events import CHATS, EVENTS, ORDERS, SCANS, record_key
from schemas.times import parse
from streams.marketplace.market import Plan, market
from tests.unit.schemas.invalid import INVALID
from tests.unit.schemas.values import ITEM, VALUES, fields, value

#: What the decoder refuses and JSON Schema cannot: it counts no bytes, and to it 1.0 is a whole number.
BEYOND = {"too large", "a quantity with a fraction"}


def schema(topic: str) -> Any:
    return json.loads((generate.FOLDER / f"{topic}.json").read_bytes())


# Without a check of formats: a reader need not have one.
CHECKS = {topic: Draft202012Validator(schema(topic)) for topic in EVENTS}


def by_decoder(topic: str, raw: bytes) -> bool:
    try:
        decode(topic, raw)
    except Invalid:
        return False
    return True


def by_schema(topic: str, raw: bytes) -> bool:
    try:
        return CHECKS[topic].is_valid(json.loads(raw))
    except ValueError:
        return False


@pytest.mark.parametrize(("topic", "raw", "reason"), INVALID)
def test_what_the_decoder_refuses_the_schema_refuses_too_or_cannot(
    topic: str, raw: bytes, reason: Reason, request: pytest.FixtureRequest
) -> None:
    assert not by_decoder(topic, raw)
    assert by_schema(topic, raw) == (request.node.callspec.id in BEYOND)


@pytest.mark.parametrize(("topic", "type_"), list(VALUES))
@pytest.mark.parametrize("other", [None, 7, 1.5, True, "", [], {}, ["x"], "x" * 129], ids=lambda other: repr(other)[:9])
def test_of_any_field_both_take_the_same(topic: str, type_: str, other: Any) -> None:
    for name in CHECKS[topic].schema["$defs"][_struct(topic, type_)]["properties"]:
        raw = value(topic, type_, **{name: other})
        assert by_schema(topic, raw) == by_decoder(topic, raw), name


def _struct(topic: str, type_: str) -> str:
    return next(kind.__name__ for kind in EVENTS[topic] if kind.__struct_config__.tag == type_)


def test_both_take_the_same_of_the_marketplace_with_its_faults() -> None:
    seen = {True: 0, False: 0}
    for record in market(Plan(days=6, orders_per_day=25, faults=0.05)):
        raw = record.encode()
        valid = by_decoder(record.topic, raw)
        seen[valid] += 1
        assert by_schema(record.topic, raw) == valid, raw
    assert min(seen.values()) > 10


@pytest.mark.parametrize("topic", EVENTS)
def test_there_is_an_example_of_every_event_and_it_is_one(topic: str) -> None:
    for struct, example in zip(EVENTS[topic], examples.EVENTS[topic], strict=True):
        event, _ = decode(topic, json.dumps(example).encode())
        assert type(event) is struct
        assert record_key(event)
        assert schema(topic)["$defs"][struct.__name__]["examples"] == [example]
        assert CHECKS[topic].is_valid(example)
        # Every field is shown; a platform is the policy's.
        fields_of = CHECKS[topic].schema["$defs"][struct.__name__]["properties"].keys()
        assert fields_of - {"platform"} <= example.keys()


PATTERN = re.compile(CHECKS[SCANS].schema["$defs"]["Scan"]["properties"]["occurred_at"]["pattern"])


def is_time(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(("text", "valid"), [
    ("2026-11-03T08:15:00+08:00", True), ("2026-11-03t08:15:00z", True), ("2026-11-03T08:15:00.1234567-23:59", True),
    ("2026-11-30T23:59:59Z", True), ("2026-11-31T00:00:00Z", False), ("2026-12-31T00:00:00Z", True),
    ("2026-12-32T00:00:00Z", False), ("2028-02-29T00:00:00Z", True), ("2026-02-30T00:00:00Z", False),
    ("2026-00-01T00:00:00Z", False), ("2026-13-01T00:00:00Z", False), ("2026-01-00T00:00:00Z", False),
    ("2026-11-03T24:00:00Z", False), ("2026-11-03T23:60:00Z", False), ("2026-11-03T23:59:60Z", False),
    ("2026-11-03T08:15:00+24:00", False), ("2026-11-03T08:15:00+08:60", False), ("2026-11-03T08:15:00+0800", False),
    ("2026-11-03T08:15:00.Z", False), ("2026-11-03T08:15:00", False), ("2026-11-03 08:15:00Z", False),
    ("0000-11-03T08:15:00Z", False), ("٢٠٢٦-11-03T08:15:00Z", False), ("x2026-11-03T08:15:00Z", False),
])  # fmt: skip
def test_the_pattern_of_times_takes_what_the_decoder_takes(text: str, valid: bool) -> None:
    assert (is_time(text), PATTERN.search(text) is not None) == (valid, valid)


@given(
    st.from_regex(
        r"\A[0-2][0-9]{3}-[01][0-9]-[0-3][0-9][Tt][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,8})?(Z|\+[0-2][0-9]:[0-6][0-9])\Z"
    )
)
def test_whatever_the_decoder_takes_for_a_time_fits_the_pattern(text: str) -> None:
    if is_time(text):
        assert PATTERN.search(text)
    elif PATTERN.search(text):
        # A day that only some years have, or an end of the calendar.
        assert text[5:10] == "02-29" or text[:4] in ("0001", "9999")


def test_of_an_item_both_take_the_same() -> None:
    for change in (
        {"quantity": 0},
        {"quantity": "1"},
        {"item_id": ""},
        {"category_id": None},
        {"amount": "1"},
        {"x": 1},
    ):
        raw = value(ORDERS, "order.placed", items=[{**ITEM, **change}])
        assert by_schema(ORDERS, raw) == by_decoder(ORDERS, raw), change


def test_a_field_that_is_not_known_is_allowed() -> None:
    assert CHECKS[CHATS].is_valid({**fields(CHATS, "chat.message"), "more": {"deep": [None]}})
