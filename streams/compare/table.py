"""Prints a comparison: as tables on a terminal, as plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streams.cli.terminal import printable
from streams.compare.findings import CHANGES, Count, Findings

#: Shops that are listed; the JSON file has them all.
MOST_SHOPS = 20
#: Wide enough off a terminal that no line is broken.
_PLAIN_WIDTH = 250
_BARS = "▁▂▃▄▅▆▇█"
#: For days.
_MOST_BARS = 40


def show(findings: Findings, console: Console) -> None:
    """Prints the tables to `console`."""
    a, b = _shown(findings.a.name), _shown(findings.b.name)
    terminal = console.is_terminal
    if not terminal:
        console.width = _PLAIN_WIDTH
    span = f"{findings.first} to {findings.until}" if findings.first else "nothing"
    console.print(f"A = {a} ({_shown(findings.a.policy)}), B = {b} ({_shown(findings.b.policy)})")
    console.print(f"{findings.events} events, {span}; {findings.dead} dead letters, {findings.left_out} left out")
    bars = max(10, min(_MOST_BARS, (console.width - 60) // 2))
    for table in (*_of_alerts(findings, bars), *_of_shops(findings)):
        console.print()
        console.print(table.title, style="bold")
        table.title = None
        if table.row_count:
            table.box = box.SIMPLE_HEAD if terminal else None
            table.pad_edge = False
            table.collapse_padding = True
            console.print(table)


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(title=title, header_style="bold")
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right")
    return table


def _of_alerts(findings: Findings, bars: int) -> list[Table]:
    if not findings.types:
        return [_table("No alerts under either policy", (), ())]
    return [_changes(findings), _over(findings), _per_day(findings, bars)]


def _changes(findings: Findings) -> Table:
    table = _table(
        "Alerts raised; under B earlier or later, by so many hours (median, negative: earlier)",
        ("type",), ("A", "B", "same", "earlier", "later", "only A", "only B", "hours"),
    )  # fmt: skip
    for row in findings.types:
        counts = (row.a.raised, row.b.raised, *row.changes.values())
        table.add_row(row.type, *map(str, counts), f"{row.shift_hours.median:+g}" if row.shift_hours else "")
    totals = (findings.a.alerts, findings.b.alerts, *(findings.total(change) for change in CHANGES))
    table.add_row("all", *map(str, totals), "", style="bold")
    return table


def _over(findings: Findings) -> Table:
    table = _table(
        "Over by themselves within 24 h of the raise (of those raised 24 h before the end)",
        ("type",), ("A", "share", "B", "share", "A, withdrawn", "B, withdrawn"),
    )  # fmt: skip
    for row in findings.types:
        if row.a.share is None and row.b.share is None:
            continue
        table.add_row(row.type, *_share(row.a), *_share(row.b), str(row.a.withdrawn), str(row.b.withdrawn))
    return table


def _share(count: Count) -> tuple[str, str]:
    if count.share is None:
        return "", ""
    return f"{count.over_in_a_day}/{count.watched}", f"{count.share:.0%}"


def _per_day(findings: Findings, bars: int) -> Table:
    named = sorted({day for row in findings.types for day in row.days})
    first, last = date.fromisoformat(named[0]), date.fromisoformat(named[-1])
    length = (last - first).days + 1
    step = -(-length // bars)
    table = _table(f"Alerts by day (UTC), {first} to {last}", ("type", "A", "B"), ("A, most", "B, most"))
    for row in findings.types:
        highest = [[0] * -(-length // step) for _ in range(2)]
        for day, counts in row.days.items():
            place = (date.fromisoformat(day) - first).days // step
            for side, count in zip(highest, counts, strict=True):
                side[place] = max(side[place], count)
        top = max(map(max, highest))
        table.add_row(row.type, *(_bars(side, top) for side in highest), *(str(max(side)) for side in highest))
    return table


def _bars(highest: Sequence[int], top: int) -> str:
    """One bar for each day; where there are more days than bars, for the highest of several."""
    return "".join(_BARS[-(-count * len(_BARS) // top) - 1] if count else " " for count in highest)


def _of_shops(findings: Findings) -> list[Table]:
    shops = findings.shops
    if not shops.known:
        return []
    title = f"Shops: {shops.differ_at_end} of {shops.known} at another level at the end, {len(shops.rows)} at some time"
    more = len(shops.rows) - MOST_SHOPS
    table = _table(
        title + (f"; {more} more are in the JSON file" if more > 0 else ""),
        ("shop", "A at the end", "B at the end"),
        ("A, 30-day rate", "B, 30-day rate", "A, changes of level", "B, changes of level", "hours apart"),
    )
    for shop in shops.rows[:MOST_SHOPS]:
        table.add_row(
            _shown(shop.shop_id),
            shop.level_a,
            shop.level_b,
            _rate(shop.rate_a),
            _rate(shop.rate_b),
            str(shop.changes_a),
            str(shop.changes_b),
            f"{shop.hours_apart:g}",
        )
    return [table]


def _rate(rate: float | None) -> str:
    return f"{rate:.2%}" if rate is not None else ""


def _shown(name: str) -> str:
    """An external name, without markup or control characters."""
    return escape(printable(name))
