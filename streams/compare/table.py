"""Prints a comparison: as tables on a terminal, as plain columns elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streams.alerts.languages import FALLBACK, Tag
from streams.cli.findings_files import PLAIN_WIDTH, show_tables
from streams.cli.terminal import printable
from streams.compare.findings import CHANGES, Count, Findings, Split
from streams.compare.wording import Words
from streams.policy.settings import told

#: Shops that are listed; the JSON file has them all.
MOST_SHOPS = 20
_BARS = "▁▂▃▄▅▆▇█"
#: For days.
_MOST_BARS = 40


def show(findings: Findings, console: Console, lang: Tag = FALLBACK) -> None:
    """Prints the tables to `console`, in a language."""
    say = Words(lang)
    a, b = _shown(findings.a.name), _shown(findings.b.name)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(f"A = {a} ({_shown(findings.a.policy)}), B = {b} ({_shown(findings.b.policy)})")
    console.print(" ".join(_read(findings, say)))
    bars = max(10, min(_MOST_BARS, (console.width - 60) // 2))
    show_tables((_of_settings(findings, say), *_of_alerts(findings, bars, say), *_of_shops(findings, say)), console)


def _read(findings: Findings, say: Words) -> Iterator[str]:
    if findings.first is None:
        yield say("no_events")
    else:
        yield say("read", events=findings.events, first=findings.first, until=findings.until)
    if findings.dead:
        yield say("dead", count=findings.dead)
    if findings.left_out:
        yield say("left_out", count=findings.left_out)
    if findings.a.late or findings.b.late:
        yield say("late", a=findings.a.late, b=findings.b.late)


def _table(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    table = Table(title=title, header_style="bold")
    for name in left:
        table.add_column(name, no_wrap=True)
    for name in right:
        table.add_column(name, justify="right")
    return table


def _of_settings(findings: Findings, say: Words) -> Table:
    if not findings.settings:
        return _table(say("no_settings"), (), ())
    table = _table(say("settings"), (say("setting"), "A", "B"), ())
    for row in findings.settings:
        table.add_row(_shown(row.name), _shown(told(row.a)), _shown(told(row.b)))
    return table


def _of_alerts(findings: Findings, bars: int, say: Words) -> list[Table]:
    if not findings.types:
        return [_table(say("no_alerts"), (), ())]
    splits = [_split(split, say) for split in findings.splits]
    return [_changes(findings, say), *splits, _over(findings, say), _per_day(findings, bars, say)]


def _changes(findings: Findings, say: Words) -> Table:
    """Types without a difference are folded into one line."""
    table = _table(say("raised"), (say("type"),), ("A", "B", *map(say, CHANGES), say("hours")))
    table.add_column(say("example"), no_wrap=True)
    for row in findings.changed:
        counts = (row.a.raised, row.b.raised, *row.changes.values())
        shift = f"{row.shift_hours.median:+g}" if row.shift_hours else ""
        table.add_row(row.type, *map(str, counts), shift, _shown(row.example.subject) if row.example else "")
    same = findings.unchanged
    if same:
        count = str(sum(row.changes["same"] for row in same))
        table.add_row(say("unchanged", count=len(same)), count, count, count, *[""] * 6)
    totals = (findings.a.alerts, findings.b.alerts, *(findings.total(change) for change in CHANGES))
    table.add_row(say("all"), *map(str, totals), "", "", style="bold")
    return table


def _split(split: Split, say: Words) -> Table:
    table = _table(say(f"split_{split.by}"), (say("type"), ""), ("A", "B", *map(say, CHANGES)))
    for row in split.rows:
        name = _shown(row.name) if row.name is not None else say("nobody")
        table.add_row(row.type, name, *map(str, (row.a, row.b, *row.changes.values())))
    return table


def _over(findings: Findings, say: Words) -> Table:
    table = _table(
        say("over"),
        (say("type"),), ("A", say("share"), "B", say("share"), say("withdrawn_a"), say("withdrawn_b")),
    )  # fmt: skip
    for row in findings.shown:
        if row.a.share is None and row.b.share is None:
            continue
        table.add_row(row.type, *_share(row.a), *_share(row.b), str(row.a.withdrawn), str(row.b.withdrawn))
    return table


def _share(count: Count) -> tuple[str, str]:
    if count.share is None:
        return "", ""
    return f"{count.over_in_a_day}/{count.watched}", f"{count.share:.0%}"


def _per_day(findings: Findings, bars: int, say: Words) -> Table:
    named = sorted({day for row in findings.shown for day in row.days})
    first, last = date.fromisoformat(named[0]), date.fromisoformat(named[-1])
    length = (last - first).days + 1
    step = -(-length // bars)
    title = say("by_day_span", first=first, last=last)
    table = _table(title, (say("type"), "A", "B"), (say("most_a"), say("most_b")))
    for row in findings.shown:
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


def _of_shops(findings: Findings, say: Words) -> list[Table]:
    shops = findings.shops
    if not shops.known:
        return []
    title = say("judged", known=shops.known, differ=shops.differ_at_end, some=len(shops.rows))
    if len(shops.rows) > MOST_SHOPS:
        title += " " + say("first_shops", count=MOST_SHOPS)
    table = _table(
        title,
        (say("shop"), say("end_a"), say("end_b")),
        tuple(map(say, ("rate_a", "rate_b", "changes_a", "changes_b", "apart"))),
    )
    for shop in shops.rows[:MOST_SHOPS]:
        table.add_row(
            _shown(shop.shop_id),
            say(shop.level_a),
            say(shop.level_b),
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
