"""What a mistyped name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean replay?)`, to follow what a message says of the name; empty where no known one is similar.

    Case makes no difference, nor do the dashes before an option.
    """
    bare = {_bare(one): one for one in known}
    close = get_close_matches(_bare(name), bare, 1)
    return f" (did you mean {bare[close[0]]}?)" if close else ""


def _bare(name: str) -> str:
    return name.casefold().lstrip("-")
