"""Bodies as they were received, found in a text: JSON and XML, however wrapped.

A body may be the value of a form field, percent-encoded or not, the argument of a callback (JSONP), a text
inside another JSON, or stand behind a prefix in a line of a log; bodies may follow each other with or
without newlines, pretty-printed or not.
"""

from __future__ import annotations

import base64
import html
import json
import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

import orjson

from streams.adapt.reading.files import Unreadable, text_of_bytes
from streams.adapt.reading.xml import xml_value

_DEEPEST = 24
"""Levels of JSON inside JSON that are opened, and of wrapping that are searched."""
_BODY = re.compile(
    r'(?P<json>[{\[](?=\s*["{\[}\]]))|(?P<text>"(?=\s*[{\[](?:\\(?!x)|\s*[}\]])))|(?P<escaped>\{(?=\\+"))'
    r"|(?P<entities>[{\[]\s*(?=&(?:quot|#34);|\{\s*&(?:quot|#34);))|(?P<hex>[{\[](?=\\x22|\{\\x22))"
    r"|(?P<encoded>%(?:25)*(?:7b|5b|3c))|(?P<xml><(?=\?xml|[A-Za-z][\w.:-]*[\s/>]))",
    re.IGNORECASE,
)
_HINT = re.compile(r'[{\[]\s*"|%7b|%5b|&quot;', re.IGNORECASE)
"""What a text has that may hold a body: a form, a callback or a line of a log inside a JSON text."""
_SHORTEST_BODY = 24
_BASE64 = ("eyJ", "W3si", "eyAi", "ewo", "Wwo")
"""How a JSON text begins in Base64."""
_BEGINS = frozenset("{[<%eW")
"""What a text begins with that is JSON, XML, percent-encoded or Base64 as a whole."""
_BASE64_TEXT = re.compile(r"[A-Za-z0-9+/]{20,}={0,2}")
_MARKUP = frozenset({"a", "b", "i", "p", "div", "span", "font", "strong", "em", "ul", "ol", "li", "table", "img", "br"})
_ENCODED = re.compile(r"[^\s&\"'<>]+")
_HEX = re.compile(r"\\x([0-9A-Fa-f]{2})")
_REST_OF_LINE = re.compile(r"[^\S\n]*(?:\n|\Z)")
_DECODER = json.JSONDecoder(strict=False)
_PIECE = 4_096
"""Characters in which a value's end is looked for first."""
_LAST = 16
"""Characters at the end of a piece that what follows may complete: a word, an escape."""
_TRIES = 8
"""How often a text is read in all to find where its values begin, behind which what has failed is passed over."""


class Body(NamedTuple):
    """A value and the number of the line it begins in; `fault` in place of the value says why there is none."""

    line: int
    value: Any
    fault: str = ""


def value_of(text: str) -> Any:
    """The value of a text that is one JSON document, opened; ValueError where it is none."""
    try:
        return opened(orjson.loads(text))
    except orjson.JSONDecodeError:
        text = text.strip()
        value, end = _json_at(text, 0)
    if text[end:]:
        raise ValueError("more than one document")
    return opened(value)


class _Broken(ValueError):
    """No JSON: `reach` is how far into the text it was looked at; `cut` says that the text ends before the value."""

    def __init__(self, why: str, reach: int, *, cut: bool = False) -> None:
        super().__init__(f"not JSON: {'it is cut off' if cut else why}")
        self.reach = reach


def _json_at(text: str, at: int) -> tuple[Any, int]:
    """The JSON value that begins at a place, and where it ends. `_Broken` where there is none.

    A text is looked at in pieces that grow, so that a value costs what it is long, however long the text.
    """
    length = _PIECE
    while True:
        piece, whole = text[at : at + length], at + length >= len(text)
        try:
            value, end = _DECODER.raw_decode(piece)
        except json.JSONDecodeError as error:
            unended = error.msg.startswith("Unterminated")
            if whole or not (unended or error.pos >= len(piece) - _LAST):
                cut = unended or error.pos >= len(piece.rstrip()) - 1
                raise _Broken(error.msg, at + (len(piece) if unended else error.pos), cut=cut) from None
        except RecursionError:
            raise _Broken("nested too deeply", at + len(piece)) from None
        except ValueError:
            # Python's own limit, of which it tells in words for programmers.
            raise _Broken(f"a number of more than {sys.get_int_max_str_digits():,} digits", at + len(piece)) from None
        else:
            return value, at + end
        length *= 4


def opened(value: Any, depth: int = 0) -> Any:
    """A value whose texts that are JSON, XML or percent-encoded JSON themselves are replaced by what they hold."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {_clean(name): opened(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [opened(inner, depth + 1) for inner in value]
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] not in _BEGINS:
        return _with_bodies(value, text)
    if text.startswith(("{", "[")) and text.endswith(("}", "]")):
        try:
            inner = orjson.loads(text)
        except ValueError:
            return _clean(value)
        return opened(inner, depth + 1) if _holds_objects(inner) else _clean(value)
    if text.startswith("<") and text.endswith(">"):
        return _opened_xml(text)
    if text[:3].casefold() in ("%7b", "%5b"):
        return opened(_decoded(text), depth + 1)
    if text.startswith(_BASE64) and _BASE64_TEXT.fullmatch(text):
        return opened(_from_base64(text), depth + 1)
    return _with_bodies(value, text)


def _with_bodies(value: str, text: str) -> Any:
    """What the bodies hold that stand somewhere in a text; else the text itself."""
    if len(text) >= _SHORTEST_BODY and ('"' in text or "%" in text or "&" in text) and _HINT.search(text):
        return [body.value for body in bodies(text) if not body.fault] or _clean(value)
    return _clean(value)


def _opened_xml(text: str) -> Any:
    """What a text that is XML holds; a text with markup stays as it is."""
    try:
        inner = xml_value(text)
    except (ValueError, Unreadable):
        return _clean(text)
    (name, held), *_ = inner.items()
    return opened(inner) if isinstance(held, dict) and name.casefold() not in _MARKUP else _clean(text)


def _from_base64(text: str) -> str:
    try:
        return text_of_bytes(base64.b64decode(text, validate=True))
    except (ValueError, Unreadable):
        return ""


def _holds_objects(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(inner, dict) for inner in value))


def _clean(text: str) -> str:
    """A text without halves of surrogate pairs, which no encoding has."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _decoded(text: str) -> str:
    """A percent-encoded text, decoded as often as it was encoded."""
    for _ in range(_DEEPEST):
        if not text.startswith("%25"):
            break
        text = unquote_to_bytes(text).decode("latin-1")
    return text_of_bytes(unquote_to_bytes(text.replace("+", " ")))


def bodies(text: str) -> Iterator[Body]:
    """The bodies in a text, in order, and a fault for each line that has something else."""
    ends = [found.end() for found in re.finditer("\n", text)]
    at, heard, tried = 0, 0, 0
    found = _BODY.search(text)
    while at < len(text):
        line = bisect_right(ends, at)
        end = ends[line] if line < len(ends) else len(text)
        if found is not None and found.start() < at:
            found = _BODY.search(text, at)
        if found is None or found.start() >= end:
            if text[at:end].strip() and line >= heard:
                yield Body(line + 1, None, "no JSON in it")
            at = end
            continue
        alone = not text[at : found.start()].strip()
        try:
            value, after = _read(text, found, end)
        except (ValueError, RecursionError, Unreadable) as error:
            yield Body(line + 1, None, str(error) or "nested too deeply")
            reach = error.reach if isinstance(error, _Broken) else end
            tried += max(reach - at, 0)
            at = _next_start(text, max(end, reach) if tried > _TRIES * len(text) else end)
            continue
        heard = bisect_right(ends, after - 1) + 1
        if isinstance(value, dict) or _holds_objects(value):
            if value or alone:
                yield Body(line + 1, value)
        elif alone and _REST_OF_LINE.match(text, after):
            yield Body(line + 1, None, "not an object")
        at = after


def _read(text: str, found: re.Match[str], end: int) -> tuple[Any, int]:
    """The value that begins at `found`, and where it ends."""
    at = found.start()
    if found["json"] or found["text"]:
        value, after = _json_at(text, at)
        return opened(value), after
    if found["encoded"]:
        token = _ENCODED.match(text, at)
        whole = token[0] if token else ""
        plain = _decoded(whole)
        return (opened(xml_value(plain)) if plain.startswith("<") else value_of(plain)), at + len(whole)
    if found["escaped"]:
        rest = text[at:end].replace('\\"', '"').replace("\\\\", "\\")
        return opened(_json_at(rest, 0)[0]), end
    if found["entities"]:
        return _first_in(html.unescape(text[at:end])), end
    if found["hex"]:
        return _first_in(_HEX.sub(lambda code: chr(int(code[1], 16)), text[at:end])), end
    return opened(xml_value(text[at:end].strip())), end


def _first_in(text: str) -> Any:
    """The document that a text begins with; one whose bytes were written as characters is made text again."""
    if all(ord(char) < 256 for char in text) and not text.isascii():
        text = text_of_bytes(text.encode("latin-1"))
    return opened(_json_at(text, 0)[0])


def _next_start(text: str, at: int) -> int:
    """The next line that is not indented, so that the rest of a broken document is not taken for others."""
    while at < len(text):
        if text[at] not in " \t}])\r\n":
            return at
        at = text.find("\n", at) + 1 or len(text)
    return at
