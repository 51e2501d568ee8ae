"""The output of adapters: lines for topics, and a report of what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from schemas.events import SCANS
from streams.adapt.orders.columns import ColumnMap

#: Ids in events are at most this long (characters).
MAX_ID = 128


class Line(NamedTuple):
    """One event for `topic`; `value` is the event as it goes on Kafka."""

    topic: str
    value: dict[str, Any]

    def encode(self) -> bytes:
        """The line of JSON, with its newline."""
        return orjson.dumps({"topic": self.topic, "value": self.value}, option=orjson.OPT_APPEND_NEWLINE)


class Problem(NamedTuple):
    """Something in the input that was left out: in which file, where in it, and why."""

    file: str
    where: str
    what: str

    def __str__(self) -> str:
        return ": ".join(part for part in self if part)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to read an input: the zone of naive times, and whether the user gave it; defaults for what the data lacks,
    the latest valid time, whether 01/04/2016 begins with the day, which columns of a table of orders say what, and
    whether each shop numbers its orders and buyers by itself.
    """

    tz: ZoneInfo
    given_tz: bool = True
    tracking_no: str | None = None
    carrier: str | None = None
    shop: str | None = None
    latest: datetime | None = None
    day_first: bool | None = None
    columns: ColumnMap | None = None
    by_shop: bool = False


@dataclass(slots=True)
class Report:
    """Counts over all inputs. Complete once all lines have been consumed.

    `on_problem` is called with each problem when it is found. `readable` counts what could be read (shipments without
    scans, orders, rows), with or without events: 0 means that the input is not of this format, or no row of it is
    usable. `repeats` counts scans that a file repeats, `disagreements` scans whose code and words disagree on an end.
    `refusals` holds why there are no events: the platforms' reasons, and options that the user has to give.
    `left_out` counts what proves no event, `lacking` events of orders that lack something, by what.
    `reasons` counts reasons of refunds that are not known, `assumed` what was taken for granted of orders; `notes` says
    how an input was read.
    """

    on_problem: Callable[[Problem], None] | None = None
    events: Counter[str] = field(default_factory=Counter)
    unknown: Counter[tuple[str, str]] = field(default_factory=Counter)
    disagreements: Counter[tuple[str, str]] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    lacking: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    assumed: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    repeats: int = 0
    refusals: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    shipments: set[tuple[str, str]] = field(default_factory=set)
    readable: int = 0

    def problem(self, file: object, where: str, what: str) -> None:
        """Records that something is left out."""
        found = Problem(str(file), where, what)
        self.problems.append(found)
        if self.on_problem is not None:
            self.on_problem(found)

    def count(self, line: Line) -> None:
        """Counts an emitted event."""
        self.events[line.value["type"]] += 1
        if line.topic == SCANS or "tracking_no" in line.value:
            self.shipments.add((line.value["carrier"], line.value["tracking_no"]))
