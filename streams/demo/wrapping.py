"""Breaks lines at spaces, and those of Chinese between any two characters, as it is printed."""

from __future__ import annotations

import re

from rich.cells import cell_len

#: What stays in one line: a run of other scripts, or a character with the punctuation that must not begin or end one.
_UNIT = re.compile(
    r"\s+"
    r"|[“‘（《「]*(?:[^\s“-”‘’（《「、。\u2e80-\u9fff\uff00-\uffef]+|.)[，。、；：？！”’）》」…]*",
    re.DOTALL,
)


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells; what is longer than a line by itself is left to the terminal."""
    lines: list[str] = []
    line, used = "", 0
    for unit in _UNIT.findall(text):
        cells = cell_len(unit)
        if used and used + cell_len(unit.rstrip()) > width:
            lines.append(line.rstrip())
            line, used = "", 0
            unit = unit.lstrip()
            cells = cell_len(unit)
        line += unit
        used += cells
    return [*lines, line.rstrip()] if line.strip() or not lines else lines
