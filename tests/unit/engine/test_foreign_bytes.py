"""What is no form of ours is told as such, whatever of it cannot be decoded."""

from __future__ import annotations

import msgspec
import pytest

from streams.engine import assignor, envelopes, notes
from streams.engine.placement import Held
from streams.notify.alert import NoAlertError, read_alert

NOT_UTF8 = b"\xa3\xff\xfe\xfd"
#: A member's version, one kind of tasks by a name; and an envelope whose holder is no text.
MEMBER = b"\x94\x01\x81" + NOT_UTF8 + b"\x81\x00\x05\x80\x01"
ENVELOPE = b"\x97\x01\x02\x04\xc3" + NOT_UTF8 + b"\x90\x02"
DEEP = b"\x91" * 100_000


@pytest.mark.parametrize("value", [b"", b"\xff", ENVELOPE, ENVELOPE[:5] + b"\xa1x" + DEEP + b"\x02", DEEP])
def test_an_envelope_that_cannot_be_decoded_is_none(value: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        envelopes.unpack(value)


@pytest.mark.parametrize("told", [b"\xff", MEMBER, DEEP])
def test_a_member_that_tells_anything_else_holds_nothing(told: bytes) -> None:
    assert assignor._read(told) == Held()


def test_a_note_of_any_nesting_is_none_or_one() -> None:
    assert notes.read("[" * 100_000) is None
    assert notes.read('{"at":1,"member":"m","more":' + "[" * 100_000) is None


@pytest.mark.parametrize("value", [b'{"id":"\xff"}', b'{"more":' + b"[" * 100_000, b"[" * 100_000])
def test_what_is_no_alert_is_told_without_a_word_of_it(value: bytes) -> None:
    with pytest.raises(NoAlertError, match="not a CloudEvent of an alert"):
        read_alert(value)
