"""That the tests of privacy can fail: what looks for the mark finds it, in whatever form it might get out."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest

from streams.rules.conversations.phrase_matching import normalise
from tests.unit.privacy.secrets import MARK, ahead, finds_mark, invalid, valid

TEXT = f"您好, {MARK}!"


@pytest.mark.parametrize(
    "written",
    [
        TEXT,
        TEXT.encode(),
        json.dumps({"text": TEXT}),
        msgspec.msgpack.encode({"text": [TEXT]}),
        normalise(TEXT),
        repr(TEXT.encode()),
        TEXT.encode().hex(),
        *(base64.b64encode(b"x" * shift + TEXT.encode()) for shift in range(3)),
    ],
)
def test_the_mark_is_found(written: str | bytes) -> None:
    assert finds_mark(written)
    assert finds_mark(None, "", written)


def test_nothing_is_found_where_nothing_is() -> None:
    assert not finds_mark("您好", b"\x00\xff", None, "")


def test_every_record_of_the_stream_bears_it() -> None:
    for record in (*valid(), *ahead()):
        assert finds_mark(record.value)
        assert not finds_mark(record.key)
    assert all(finds_mark(record.value) for record in invalid() if record.value is not None)
