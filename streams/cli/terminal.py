"""Makes external text safe to show: nothing in it may control the terminal."""

from __future__ import annotations

import re

import click

#: Of what `str.isprintable` refuses beside these: a space of any width, which steers nothing.
_SPACES = frozenset("\u00a0\u2002\u2003\u2009\u202f\u3000")
_JSON_STEERS = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_USER = re.compile(r"(://)[^/\s]*@")


def printable(text: str) -> str:
    r"""The text in one line: a control character, a mark of direction and the like as its escape (`\x1b`)."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _SPACES else _escaped(one) for one in text)


def harmless(text: str) -> str:
    """The same for prose: characters that cannot be shown become U+FFFD."""
    return text if text.isprintable() else "".join(one if one.isprintable() else "\ufffd" for one in text)


def printable_json(document: bytes | str) -> str:
    """An equivalent JSON document in which characters that terminals may act on are escaped."""
    text = document.decode() if isinstance(document, bytes) else document
    return _JSON_STEERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def without_password(text: str) -> str:
    """The text without the user information in URLs."""
    return _USER.sub(r"\1***@", text)


def echo(line: str, *, err: bool = False) -> None:
    """Prints one line, to standard output or to standard error."""
    click.echo(printable(line), err=err)


def _escaped(one: str) -> str:
    # A byte of an argument that is no UTF-8 has come as half of a surrogate pair.
    if "\udc80" <= one <= "\udcff":
        return f"\\x{ord(one) - 0xDC00:02x}"
    return one.encode("unicode_escape", "surrogatepass").decode("ascii")
