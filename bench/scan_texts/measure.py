"""Labelled texts, and what the grammar makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from scipy.stats import binomtest

from streams.adapt.words import ENDS, status_of

NO_END = "-"


class Labelled(NamedTuple):
    """A text, its language, and the status a reader gives it (`-`: it ends nothing)."""

    status: str
    language: str
    text: str


@dataclass(slots=True)
class Score:
    """Counts by status, and the texts that wrongly end a watch or whose end is missed."""

    texts: int = 0
    ends: int = 0
    wrong: list[Labelled] = field(default_factory=list)
    missed: list[Labelled] = field(default_factory=list)
    given: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)


def labelled(path: Path) -> list[Labelled]:
    """The texts of a file of tab-separated lines."""
    return [Labelled(*line.split("\t", 2)) for line in path.read_text(encoding="utf-8").splitlines() if line]


def score(texts: Iterable[Labelled]) -> Score:
    """Reads every text. A text labelled `-` counts for no status, only as one that must not end anything."""
    result = Score()
    for text in texts:
        result.texts += 1
        result.ends += text.status in ENDS
        said = status_of(text.text)
        if said in ENDS and said != text.status:
            result.wrong.append(text)
        elif text.status in ENDS and said != text.status:
            result.missed.append(text)
        if text.status != NO_END or said in ENDS:
            result.given[text.status] += 1
            result.found[said or NO_END] += 1
            result.right[text.status] += said == text.status
    return result


def share(found: int, of: int) -> str:
    """A share with its 95 % interval (Wilson's), as a text."""
    if not of:
        return "-"
    low, high = binomtest(found, of).proportion_ci(method="wilson")
    return f"{found / of:.1%}, 95% interval {low:.1%} to {high:.1%}"


def table(result: Score) -> str:
    """The score as a table in Markdown."""
    lines = [
        f"{result.texts} texts, {result.ends} of them ends; {len(result.wrong)} wrong ends "
        f"({share(len(result.wrong), result.texts)}), {len(result.missed)} missed "
        f"({share(len(result.missed), result.ends)})",
        "",
        "| status | texts | precision | recall |",
        "|---|---|---|---|",
    ]
    for status in sorted(result.given, key=lambda status: (status not in ENDS, status)):
        if status != NO_END:
            right, found, given = (counts[status] for counts in (result.right, result.found, result.given))
            precision = f"{right / found:.0%}" if found else "-"
            lines.append(f"| `{status}` | {given} | {precision} | {right / given:.0%} |")
    return "\n".join(lines)
