"""`python -m bench.sizing`: the worked rows of docs/sizing.md, from measured figures. `--check` writes nothing.

The page has the formulas. Figures of the machine come from `bench/results`; those of a stream are here.
"""

from __future__ import annotations

import dataclasses
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.install import ROOT
from bench.report import RESULTS, lines
from bench.results import Cell, Table, load, tables

DOCUMENT = ROOT / "docs" / "sizing.md"
_PLACE = re.compile(r"(<!-- computed: (?P<name>[a-z]+) -->\n\n).*?(\n<!-- /computed -->)", re.DOTALL)

DAY = 86_400
#: Of one order that is one parcel: its scans, and its events of orders and chats.
SCANS, OTHERS = 8, 4
#: The greatest rate by the mean one, and how much of a core is planned for.
PEAK, LOAD = 3, 0.5
#: Days for which the default policy remembers: from the first scan and from the first order event.
PARCEL_DAYS, ORDER_DAYS = 7 + 180, 7 + 180
#: Bytes of memory of a worker before it has any state, and what a worker is given for state.
BARE, WORKER = 150e6, 12e9
#: Partitions of an input that are tried, up to those with which commits were measured.
PARTITIONS = (4, 8, 12, 24, 48)
#: Orders a day, and whether the state is on disk. The last is 200,000 scans a second.
ROWS = (
    (10_000, False),
    (100_000, False),
    (1_000_000, False),
    (1_000_000, True),
    (10_000_000, True),
    (720_000_000, True),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured. CPU in seconds, sizes in bytes."""

    scan: float
    other: float
    task: float
    parcel_memory: float
    order_memory: float
    due: float
    parcel_disk: float
    order_disk: float
    parcel_row: float
    order_row: float
    rows_a_second: float
    rows_a_second_on_disk: float


def figures() -> Figures:
    """Taken from the results."""
    found = {name: _rows(table) for name, (_, table) in tables(load(RESULTS)).items()}
    scan = 1 / _one_of(found["throughput"], {"": "parcelwatch worker, state in memory"})["scans per CPU-second"]
    week = {"through": "worker on the log in memory", "events of": "a week"}
    mixed = _one_of(found["backfill"], week)["CPU µs an event"] / 1e6
    share = SCANS / (SCANS + OTHERS)
    busy = next(row for row in found["watermarks"] if row["partitions"] == 12 and row["scans a second"])
    parcel, order = ({state: _one_of(found["memory"], {"": what, "state": state}) for state in ("memory", "rocksdict")}
                     for what in ("shipments", "orders"))  # fmt: skip
    few, many = (_one_of(found["active"], {"state": "rocksdict", "active shipments": count})
                 for count in (10_000, 10_000_000))  # fmt: skip
    restored = {row["state"]: row["records a second"] for row in found["restore"] if row[""] == "parcelwatch"}
    memory, disk, row = "bytes of memory each", "bytes of disk each", "bytes of changelog for the last event of each"
    return Figures(
        scan=scan,
        other=(mixed - share * scan) / (1 - share),
        task=(busy["cores of the worker"] - busy["scans a second"] * scan) / (2 * busy["partitions"]),
        parcel_memory=parcel["memory"][memory],
        order_memory=order["memory"][memory],
        due=(many["memory, MB"] - few["memory, MB"]) * 1e6 / (10_000_000 - 10_000),
        parcel_disk=parcel["rocksdict"][disk],
        order_disk=order["rocksdict"][disk],
        parcel_row=parcel["memory"][row],
        order_row=order["memory"][row],
        rows_a_second=restored["memory"],
        rows_a_second_on_disk=restored["rocksdict, wiped"],
    )


def _rows(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def _one_of(rows: Sequence[dict[str, Any]], wanted: dict[str, object]) -> dict[str, Any]:
    return next(row for row in rows if wanted.items() <= row.items())


@dataclass(frozen=True, slots=True)
class Need:
    """What one application needs, of which there are `applications`. Sizes in bytes, per worker but the changelogs'."""

    applications: int
    cores: float
    workers: int
    partitions: int
    memory: float
    disk: float
    changelogs: float
    restore: float


def need(orders: float, on_disk: bool, known: Figures) -> Need:
    """For so many orders a day under the default policy; as many applications as it takes."""
    applications = 1
    while (found := _one(orders / applications, on_disk, known)) is None:
        applications += 1
    return dataclasses.replace(found, applications=applications)


def _one(orders: float, on_disk: bool, known: Figures) -> Need | None:
    """One application; None where it would need more partitions than were measured."""
    parcels, cases = orders * PARCEL_DAYS, orders * ORDER_DAYS
    events = orders / DAY * PEAK * (SCANS * known.scan + OTHERS * known.other)
    each = (known.due, known.due) if on_disk else (known.parcel_memory, known.order_memory)
    memory = parcels * each[0] + cases * each[1]
    disk = parcels * known.parcel_disk + cases * known.order_disk if on_disk else 0.0
    for partitions in PARTITIONS:
        # Two tasks for each partition: one of orders, one of shipments.
        cores = events + 2 * partitions * known.task
        workers = max(math.ceil(memory / WORKER), math.ceil(cores / LOAD), 2)
        if workers <= partitions:
            rows_a_second = known.rows_a_second_on_disk if on_disk else known.rows_a_second
            return Need(
                1, cores, workers, partitions, BARE + memory / workers, disk / workers,
                parcels * known.parcel_row + cases * known.order_row, (parcels + cases) / workers / rows_a_second,
            )  # fmt: skip
    return None


def size(number: float) -> str:
    """Bytes as a person reads them: "1.2 GB"."""
    units = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1.0, "B"))
    by, unit = next((by, unit) for by, unit in units if number >= by)
    scaled = number / by
    return f"{scaled:,.1f} {unit}" if scaled < 10 else f"{scaled:,.0f} {unit}"


def worked(known: Figures) -> Table:
    """The rows of the page."""
    columns = ["orders a day", "scans a second, peak", "state in", "applications", "partitions of each",
               "workers of each", "cores of each", "memory of a worker", "disk of a worker",
               "changelogs of each", "restore, s"]  # fmt: skip
    rows: list[list[Cell]] = []
    for orders, on_disk in ROWS:
        one = need(orders, on_disk, known)
        rows.append([
            f"{orders:,}", f"{orders * SCANS / DAY * PEAK:,.0f}", "disk" if on_disk else "memory", one.applications,
            one.partitions, one.workers, f"{one.cores:.1f}", size(one.memory), size(one.disk) if on_disk else None,
            size(one.changelogs), f"{one.restore:,.0f}",
        ])  # fmt: skip
    return Table("worked", columns, rows)


def measured(known: Figures) -> Table:
    """The figures that the rows are computed from."""
    rows: list[list[Cell]] = [
        ["CPU of a scan", f"{known.scan * 1e6:.0f} µs", "`throughput`, worker in memory"],
        ["CPU of an event of orders or chats", f"{known.other * 1e6:.0f} µs",
         "`backfill`, a week: what its events take beyond its scans"],
        ["CPU of a busy task, however many events", f"{known.task:.3f} cores",
         "`watermarks`, 12 partitions: commits and messages between tasks every half second"],
        ["memory of a parcel, of an order", f"{known.parcel_memory:.0f} B, {known.order_memory:.0f} B",
         "`memory`, state in memory"],
        ["memory of either with its state on disk", f"{known.due:.0f} B", "`active`, from 10,000 to 10 million"],
        ["disk of a parcel, of an order", f"{known.parcel_disk:.0f} B, {known.order_disk:.0f} B",
         "`memory`, rocksdict"],
        ["changelog of a parcel, of an order", f"{known.parcel_row:.0f} B, {known.order_row:.0f} B",
         "`memory`: their last row, before compression"],
        ["rows restored a second, memory, disk",
         f"{known.rows_a_second:,.0f}, {known.rows_a_second_on_disk:,.0f}", "`restore`"],
    ]  # fmt: skip
    return Table("measured", ["figure", "value", "from"], rows)


def filled(document: str) -> str:
    """The page with its tables as they are now."""
    known = figures()
    made = {table.name: "\n".join(lines(table)) for table in (worked(known), measured(known))}
    return _PLACE.sub(lambda found: f"{found[1]}{made[found['name']]}{found[3]}", document)


if __name__ == "__main__":
    page = DOCUMENT.read_text()
    if "--check" in sys.argv:
        sys.exit(filled(page) != page)
    DOCUMENT.write_text(filled(page))
