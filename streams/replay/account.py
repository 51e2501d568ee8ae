"""The summary that a replay prints at its end, in a few lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from streams.replay.batches import Dead
from streams.replay.reading import Source, inputs, is_one_file
from streams.replay.resemblance import looks_like

#: Reasons of dead letters that are listed.
_MOST = 3


def account(
    source: Source, folder: Path, summary: dict[str, Any], dead: Sequence[Dead], two_names: str | None = None
) -> Iterator[str]:
    """Counts, alerts, the reasons of dead letters, and `two_names` unless empty."""
    events = sum(summary["events"].values())
    of_type = ", ".join(f"{type_} {count:,}" for type_, count in summary["events"].items())
    yield f"events: {events:,}{f' ({of_type})' if of_type else ''}{_others(summary)}"
    raised = sum(counts["raised"] for counts in summary["alerts"].values())
    resolved = sum(counts["resolved"] for counts in summary["alerts"].values())
    yield f"alerts: {raised:,} raised, {resolved:,} resolved"
    yield f"dead letters: {len(dead):,}"
    by_reason = sorted(summary["dead"]["by_reason"].items(), key=lambda pair: (-pair[1], pair[0]))
    for reason, count in by_reason[:_MOST]:
        example = next(one for one in dead if one.error_code == reason)
        # Of a folder the topic tells the file.
        told = example.file or (example.topic if not is_one_file(source) else None)
        file = f"{told}, " if told else ""
        yield f"  {reason} {count:,}, first in {file}line {example.line}: {example.error_detail}"
    if len(by_reason) > _MOST:
        yield f"  and {sum(count for _, count in by_reason[_MOST:]):,} for other reasons"
    if two_names:
        yield two_names
    yield f"written to {folder}"


def doubt(source: Source, summary: dict[str, Any], dead: Sequence[Dead]) -> str | None:
    """One line about what the input looks like if most of its lines are invalid."""
    read = sum(summary["events"].values()) + summary["left_out"] + summary["tombstones"]
    if len(dead) > read:
        paths = inputs(source)
        worst = Counter(letter.file for letter in dead if letter.file).most_common(1)
        path = next(
            (path for path in paths if worst and Path(worst[0][0]) in (path, path / Path(worst[0][0]).name)), paths[0]
        )
        return f"most lines are no events: {'the input' if len(paths) == 1 else path} looks like {looks_like(path)}"
    return None if read else "the input holds no lines"


def _others(summary: dict[str, Any]) -> str:
    told = ((f"{summary['repeated']:,} repeated", summary["repeated"]), (f"{summary['late']:,} late", summary["late"]),
            (f"{summary['left_out']:,} behind the end", summary["left_out"]),
            (f"{summary['tombstones']:,} without a value", summary["tombstones"]))  # fmt: skip
    return "".join(f"; {text}" for text, count in told if count)
