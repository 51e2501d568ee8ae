"""What a dead letter may say: the words of this list, names of the schemas' fields and numbers; never the data's."""

from __future__ import annotations

import re

from schemas.decode import Invalid, Reason
from schemas.events import EVENTS, Item

_STRUCTS = (Item, *(kind for kinds in EVENTS.values() for kind in kinds))
_NAME = "|".join(sorted({name for struct in _STRUCTS for name in (*struct.__struct_fields__, "type")}))
_FIELD = rf"(?:{_NAME})(?:\[\d{{1,5}}\])?(?:\.(?:{_NAME}))?: "
_JSON = "(?:str|int|float|bool|null|array|object)"
_WORDS = {
    Reason.NOT_JSON: "not one JSON value in UTF-8",
    Reason.NOT_OBJECT: "a JSON value, but not an object",
    Reason.TOO_LARGE: r"more than the 65536 bytes that are allowed|a line of more than \d{5} bytes",
    Reason.UNKNOWN_TOPIC: "topic: missing, or not a string|topic: none of those that are read",
    Reason.UNKNOWN_TYPE: "type: none of the topic (?:orders|logistics-scans|chats)",
    Reason.MISSING_FIELD: rf"(?:{_FIELD}|value: )missing",
    Reason.ILL_TYPED_FIELD: rf"{_FIELD}(?:not a string|not what is expected|a number beyond a double's range"
    rf"|Expected `{_JSON}(?: \| null)?`(?: of length)?(?: [<>=]+ [0-9.]+)?(?:, got `{_JSON}`)?)",
    Reason.UNKNOWN_VALUE: rf"{_FIELD}none of the values allowed",
    Reason.BAD_TIME: rf"{_FIELD}not an RFC 3339 time with an offset, from the year 1 to 9999 in UTC",
    Reason.FROM_THE_FUTURE: "occurred_at: more than 24 hours ahead of the record's timestamp",
    Reason.WRONG_KEY: "the record's key is not the one that its event asks for",
    Reason.WRONG_PARTITION: r"the key belongs to another partition than \d+",
    Reason.KEY_TOO_LARGE: r"the key holds \d+ events already, which is all that is kept of one",
}
_LETTERS = {reason: re.compile(words) for reason, words in _WORDS.items()}


def is_exact(reason: str | Reason | None, detail: str) -> bool:
    """Whether a reason is known and its detail is one of those that it may have."""
    return reason in _LETTERS and _LETTERS[Reason(str(reason))].fullmatch(detail) is not None


def told(invalid: Invalid) -> None:
    """Asserts that a refusal makes an exact dead letter."""
    assert is_exact(invalid.reason, invalid.detail), f"no dead letter: {invalid.reason!s}: {invalid.detail!r}"
