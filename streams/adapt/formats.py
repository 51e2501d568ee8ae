"""The formats that can be adapted, and the way from files to lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams.adapt import shapes_china, shapes_world
from streams.adapt.lines import Line, Report, Settings
from streams.adapt.olist import DERIVED, olist
from streams.adapt.shapes import Shape
from streams.adapt.times import zone
from streams.adapt.tracking import scans

CHINA = "Asia/Shanghai"


class InputError(Exception):
    """The user asked for what cannot be: an unknown format or zone, a missing input. Nothing was read."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format: what it is (`help`, with what is derived in `details`), and the zone of its naive times."""

    name: str
    help: str
    tz: str
    read: Callable[[Path, Settings, Report], Iterator[Line]]
    folder: bool = False
    details: str = ""


def _tracking(name: str, text: str, tz: str, shape: Shape) -> Format:
    def read(path: Path, settings: Settings, report: Report) -> Iterator[Line]:
        return scans(name, shape, path, settings, report)

    return Format(name, text, tz, read)


_ALL = (
    Format("olist", "a folder of Olist's CSV files (.csv or .csv.gz)", "America/Sao_Paulo", olist, True, DERIVED),
    _tracking("kuaidi100", "kuaidi100 queries and pushes", CHINA, Shape(shapes_china.kuaidi100)),
    _tracking("kdniao", "kdniao queries and pushes", CHINA, Shape(shapes_china.kdniao)),
    _tracking("cainiao", "Cainiao and Taobao logistics details", CHINA, Shape(shapes_china.cainiao)),
    _tracking(
        "sf-route",
        "SF Express routes; a bare list has its tracking number from --tracking-no or the file's name",
        CHINA,
        Shape(shapes_china.sf_route, carrier="SF", number_from_file=True),
    ),
    _tracking("aftership", "AfterShip trackings", "UTC", Shape(shapes_world.aftership)),
    _tracking("17track", "17TRACK v2.2 answers and pushes", "UTC", Shape(shapes_world.seventeen_track)),
    _tracking(
        "history",
        "rows {shipment, carrier, time, status, text, location}",
        "UTC",
        Shape(shapes_world.history),
    ),
)

FORMATS: dict[str, Format] = {found.name: found for found in _ALL}


def adapt(
    format_name: str,
    paths: Sequence[Path],
    *,
    report: Report,
    tz: str | None = None,
    tracking_no: str | None = None,
    carrier: str | None = None,
) -> Iterator[Line]:
    """The events in `paths`, file by file, each file's in the order of their times; counts go into `report`.

    `tz` takes the place of the format's zone for naive times. `tracking_no` and `carrier` hold where the
    data names none. InputError, before anything is read, for an unknown format or zone, a missing input, a
    folder for a file or the reverse, and one tracking number for several inputs.
    """
    chosen = FORMATS.get(format_name)
    if chosen is None:
        raise InputError(f"unknown format {format_name!r}: one of {', '.join(FORMATS)}")
    for path in paths:
        if not path.exists():
            raise InputError(f"no such input: {path}")
        if path.is_dir() != chosen.folder:
            raise InputError(f"{path}: {format_name} takes {'a folder' if chosen.folder else 'files, not a folder'}")
    if tracking_no is not None and len(paths) > 1:
        raise InputError("one --tracking-no cannot hold for several inputs")
    try:
        settings = Settings(zone(tz or chosen.tz), (tracking_no or "").strip() or None, (carrier or "").strip() or None)
    except ValueError as error:
        raise InputError(str(error)) from error
    return _lines(chosen, paths, settings, report)


def _lines(chosen: Format, paths: Sequence[Path], settings: Settings, report: Report) -> Iterator[Line]:
    for path in paths:
        yield from chosen.read(path, settings, report)
