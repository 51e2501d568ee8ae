"""From input files to lines of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from streams.adapt.formats import Format, known
from streams.adapt.formats.registry import BrokenFormat, find
from streams.adapt.lines import Line, Report, Settings
from streams.adapt.times import zone
from streams.adapt.tracking import scans

AHEAD = timedelta(days=1)
"""How far ahead of now a scan may be, for clocks that are wrong and zones that are not told."""


class InputError(Exception):
    """Invalid arguments: an unknown format or zone, a missing input. Nothing was read."""


def adapt(
    format_name: str,
    paths: Sequence[Path],
    *,
    report: Report,
    tz: str | None = None,
    tracking_no: str | None = None,
    carrier: str | None = None,
    now: datetime | None = None,
) -> Iterator[Line]:
    """The events in `paths`, file by file, each file's in the order of their times; counts go into `report`.

    `tz` replaces the format's zone for naive times. `tracking_no` and `carrier` apply where the data names
    none. A scan more than a day ahead of `now` is left out, and is a problem. InputError, before
    anything is read, for an unknown format or zone, a missing input, a folder for a file or the reverse, and
    one tracking number for several inputs.
    """
    chosen = _format(format_name)
    for path in paths:
        if not path.exists():
            raise InputError(f"no such input: {path}")
        if path.is_dir() != chosen.folder:
            raise InputError(f"{path}: {format_name} takes {'a folder' if chosen.folder else 'files, not a folder'}")
    if tracking_no is not None and len(paths) > 1:
        raise InputError("one --tracking-no cannot hold for several inputs")
    try:
        settings = Settings(
            zone(tz or chosen.tz),
            (tracking_no or "").strip() or None,
            (carrier or "").strip() or None,
            now + AHEAD if now else None,
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    return _lines(chosen, paths, settings, report)


def _format(name: str) -> Format:
    try:
        chosen = find(name)
    except BrokenFormat as error:
        raise InputError(str(error)) from error
    if chosen is None:
        raise InputError(f"unknown format {name!r}: one of {', '.join(known())}")
    return chosen


def _lines(chosen: Format, paths: Sequence[Path], settings: Settings, report: Report) -> Iterator[Line]:
    for path in paths:
        yield from chosen.read(path, settings, report) if chosen.read else scans(chosen, path, settings, report)
