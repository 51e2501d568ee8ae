"""Sentences with named values and optional parts, which are omitted if a value is unknown.

    Parcel {subject}[, last seen at {facility}| without a scan].

`{name}` is a value. `[A|B]` renders the first alternative whose values are all known, or nothing if there is none; an
alternative without values always applies. Brackets do not nest. Outside brackets, an unknown value is rendered as the
language's word for unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_GROUP = re.compile(r"\[([^\[\]]*)\]")
_NAME = re.compile(r"\{([a-z_]+)\}")

#: The names of values, and the text with `%s` where they go.
_Piece = tuple[tuple[str, ...], str]


class Template:
    """One parsed sentence. Raises ValueError if `text` has an unmatched bracket or brace."""

    __slots__ = ("_parts", "names", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        #: All values that the sentence can mention.
        self.names = frozenset(_NAME.findall(text))
        # Unconditional text becomes a marked group with a single alternative.
        self._parts: list[tuple[bool, tuple[_Piece, ...]]] = []
        for index, part in enumerate(_GROUP.split(text)):
            optional = index % 2 == 1
            if optional or part:
                alternatives = part.split("|") if optional else [part]
                self._parts.append((optional, tuple(_piece(alternative) for alternative in alternatives)))

    def render(self, values: Mapping[str, str | None], unknown: str) -> str:
        """The sentence; `values` has every name in `names`, None if unknown."""
        out = ""
        for optional, alternatives in self._parts:
            for names, text in alternatives:
                if not names:
                    out += text
                    break
                found = tuple([values[name] for name in names])
                if None not in found:
                    out += text % found
                    break
                if not optional:
                    out += text % tuple([unknown if value is None else value for value in found])
        return out.strip()


def _piece(text: str) -> _Piece:
    found = _NAME.split(text)
    literals, names = found[::2], tuple(found[1::2])
    if any(mark in literal for literal in literals for mark in "[]{}"):
        raise ValueError(f"an unmatched bracket or brace in {text!r}")
    if not names:
        return (), text
    return names, "%s".join(literal.replace("%", "%%") for literal in literals)
