"""The rights that the page for operators grants."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

from streams.engine.rights import Operation, Resource, Right

_PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def documented(*parts: str, app: str) -> list[tuple[Right, bool]]:
    """The rights that these parts of the page grant to an application, and whether each is by a prefix."""
    found = []
    for part, block in re.findall(r"^<!-- ([a-z ]+) -->\n\n((?: {4}.*\n)+)", _PAGE.read_text(), re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines() if part in parts else ():
            found += _granted(shlex.split(line))
    return [(right._replace(name=right.name.replace("parcelwatch", app)), prefixed) for right, prefixed in found]


def _granted(words: list[str]) -> list[tuple[Right, bool]]:
    options = list(itertools.pairwise(words))
    prefixed = ("--resource-pattern-type", "prefixed") in options
    operations: list[Operation] = [value for name, value in options if name == "--operation"]  # type: ignore[misc]
    kinds: list[Resource] = ["topic", "group", "transactional-id"]
    named = [(kind, value) for name, value in options for kind in kinds if name == f"--{kind}"]
    return [(Right(operation, kind, value), prefixed) for operation in operations for kind, value in named]
