"""The slow reader of JSON reads what the standard library reads, and where each member of an object stands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.decode import Invalid, decode
from schemas.events import ORDERS
from schemas.json_text import read, value_of

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(VALUES, st.booleans(), st.sampled_from([None, 1, "\t"]))
def test_it_reads_what_the_standard_library_writes(value: Any, escaped: bool, indent: int | str | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    assert read(f" {text}\r\n").value == value


@given(st.text(alphabet='{}[],:"\\\\u0123aeE+-.trufalsn \n\t', max_size=12))
def test_it_refuses_what_the_standard_library_refuses(text: str) -> None:
    try:
        expected: Any = json.loads(text, parse_constant=_refuse)
    except ValueError:
        with pytest.raises(ValueError, match="not JSON"):
            read(text)
    else:
        assert repr(read(text).value) == repr(expected)


def _refuse(_: str) -> NoReturn:
    raise ValueError


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_each_member_of_an_object_stands_where_it_says(value: dict[str, Any]) -> None:
    text = json.dumps(value)
    found = read(text)
    assert {name: json.loads(text[begin:end]) for name, (begin, end) in found.spans.items()} == value


_NAMES = st.sampled_from(["type", "event_id", "occurred_at", "order_id", "shop_id", "ship_by", "platform", "x"])
_TOLD = st.sampled_from(['"order.paid"', '"order.completed"', '"a"', '"2026-01-01T00:00:00Z"', "5", "null", "1e999",
                         '"\\\\ud83d"', "[[]]"])  # fmt: skip


@given(st.lists(st.tuples(_NAMES, _TOLD), max_size=9))
def test_an_event_is_what_the_last_of_its_names_say(members: list[tuple[str, str]]) -> None:
    first = {"type": '"order.paid"', "event_id": '"e"', "occurred_at": '"2026-01-01T00:00:00Z"', "order_id": '"A"',
             "shop_id": '"S"'}  # fmt: skip
    all_ = [*first.items(), *members]

    def told(pairs: list[tuple[str, str]]) -> Any:
        try:
            return msgspec.to_builtins(
                decode(ORDERS, ("{" + ",".join(f'"{name}":{text}' for name, text in pairs) + "}").encode())
            )
        except Invalid as invalid:
            return invalid.reason, invalid.detail

    assert told(all_) == told(list(dict(all_).items()))


def _told(reader: Callable[[], Any]) -> str:
    try:
        return re.sub(r"<[^<>]*OutOfRange[^<>]*>", "out of range", repr(reader()))
    except ValueError:
        return "not JSON"


_PIECES = [*'{}[],:"\\0e+-. \n', "\\ud83d", "\\ude00", "\\u0041", "é", "true", "null", '"a"', "9" * 299, "9" * 310,
           "1e999", "\x01"]  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
@example('{"a":' + "9" * 310 + "}")
@example('{"a":1e999}')
@example('"\\ud83d"')
@example('"\\ud83d')
def test_what_is_read_sooner_is_what_is_read_slowly(text: str) -> None:
    raw = text.encode()
    assert _told(lambda: value_of(raw)) == _told(lambda: read(text).value)


def test_what_is_no_text_is_no_json() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        value_of(b'{"x":"\xff"}')
