"""What buyers choose as the reason of a refund, by the words that a platform writes it with."""

from __future__ import annotations

import tomllib
from importlib import resources


def _table() -> dict[str, str]:
    text = resources.files(__package__).joinpath("reasons.toml").read_text(encoding="utf-8")
    return {words.casefold(): code for code, phrases in tomllib.loads(text).items() for words in phrases}


REASONS = _table()
"""Our code by words that a reason contains, in the order in which they are tried."""
