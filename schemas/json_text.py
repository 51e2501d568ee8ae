"""Reads JSON as leniently as most libraries do, for values that the fast decoder rejects.

The last of duplicate names wins, a lone surrogate becomes U+FFFD, numbers may have any size, and nesting may have any
depth: nothing here recurses.
"""

from __future__ import annotations

import json
import re
import sys
from math import isinf
from typing import Any, NamedTuple

import msgspec

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:
    ([\[\]{},:])
    |("[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*")
    |(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][+-]?[0-9]+)?
    |(true|false|null))""",
    re.VERBOSE,
)
_REST = re.compile(r"[ \t\n\r]*")
_HALVES = re.compile("[\ud800-\udfff]")
_WORDS = {"true": True, "false": False, "null": None}
#: The greatest whole number within a double's range, and its digits.
GREATEST = int(sys.float_info.max)
_MOST_DIGITS = len(str(GREATEST))
#: A number of fewer digits is within a double's range, unless it has an exponent; the strict reader knows of that.
_LONG_NUMBER = re.compile(rb"[0-9]{300}")
#: Bytes that cannot hold such a number.
_SHORT = 300
_STRICT = msgspec.json.Decoder().decode


class OutOfRange:
    """Stands for a number beyond a double's range."""


class Document(NamedTuple):
    """A value; of an object, where each member's own value stands in the text."""

    value: Any
    spans: dict[str, tuple[int, int]]


def value_of(raw: bytes) -> Any:
    """The same value as `read`, and far sooner where a strict reader can tell it, or that there is none.

    Raises ValueError.
    """
    if not raw.isascii():
        # The strict reader's own errors do not tell what is no text from what is no JSON.
        raw.decode()
    if len(raw) < _SHORT or not _LONG_NUMBER.search(raw):
        try:
            return _STRICT(raw)
        except (msgspec.MsgspecError, RecursionError) as error:
            if is_final(error, raw):
                raise ValueError("not JSON") from None
    return read(raw.decode()).value


def is_final(error: Exception, raw: bytes) -> bool:
    """Whether what a strict reader has met in `raw`, which is text, says that `read` would refuse it, too.

    A lone surrogate is all that is malformed there and taken here. Numbers beyond its range, and values that are not
    what it expects, are no malformed JSON.
    """
    return type(error) is msgspec.DecodeError and b"\\u" not in raw


def read(text: str) -> Document:
    """The one value that `text` is. Raises ValueError, which quotes nothing of it."""
    #: The containers that are open, with the name that the next value of an object gets.
    open_: list[tuple[Any, str]] = []
    spans: dict[str, tuple[int, int]] = {}
    #: What may come next: a value, a value or the end of a list, a name, a name or the end, a comma or the end.
    state = "value"
    name = ""
    place = 0
    while True:
        match = _TOKEN.match(text, place)
        if match is None:
            raise ValueError("not JSON")
        mark, string, whole, fraction, exponent, word = match.groups()
        place = match.end()
        value: Any
        if mark == "[" or mark == "{":
            if state not in ("value", "value or end"):
                raise ValueError("not JSON")
            container: Any = [] if mark == "[" else {}
            if len(open_) == 1 and isinstance(open_[0][0], dict):
                spans[name] = (place - 1, place)
            open_.append((container, name))
            state = "value or end" if mark == "[" else "name or end"
            continue
        if mark == "]" or mark == "}":
            closed = ("more", "value or end") if mark == "]" else ("more", "name or end")
            if state not in closed or not open_ or isinstance(open_[-1][0], list) != (mark == "]"):
                raise ValueError("not JSON")
            value, name = open_.pop()
        elif mark == ",":
            if state != "more" or not open_:
                raise ValueError("not JSON")
            state = "value" if isinstance(open_[-1][0], list) else "name"
            continue
        elif mark == ":":
            raise ValueError("not JSON")
        elif state in ("name", "name or end"):
            if string is None:
                raise ValueError("not JSON")
            name = _text(string)
            colon = _TOKEN.match(text, place)
            if colon is None or colon.group(1) != ":":
                raise ValueError("not JSON")
            place = colon.end()
            state = "value"
            continue
        elif state == "more":
            raise ValueError("not JSON")
        elif string is not None:
            value = _text(string)
        elif whole is not None:
            value = _number(whole, fraction, exponent)
        else:
            value = _WORDS[word]
        if not open_:
            if _REST.match(text, place).end() != len(text):  # type: ignore[union-attr]
                raise ValueError("not JSON")
            return Document(value, spans)
        holder = open_[-1][0]
        if isinstance(holder, list):
            holder.append(value)
        else:
            holder[name] = value
            if len(open_) == 1:
                begin = spans[name][0] if mark else match.end() - len(match.group().lstrip(" \t\n\r"))
                spans[name] = (begin, place)
        state = "more"


def _text(token: str) -> str:
    """What a string between its quotes says."""
    if "\\" not in token:
        return token[1:-1]
    return _HALVES.sub("\ufffd", json.loads(token))


def _number(whole: str, fraction: str | None, exponent: str | None) -> int | float | OutOfRange:
    if fraction or exponent:
        real = float(whole + (fraction or "") + (exponent or ""))
        return OutOfRange() if isinf(real) else real
    if len(whole) > _MOST_DIGITS + 1:
        return OutOfRange()
    number = int(whole)
    return number if abs(number) <= GREATEST else OutOfRange()
