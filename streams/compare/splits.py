"""Splits the alerts of two policies by carrier, by category and by the size of shops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from streams.compare.findings import CHANGES, Change, Split, SplitRow
from streams.compare.levels import Levels
from streams.compare.matching import Pair

#: Parts of a split that are told for each type: the ones with the most differences.
MOST = 20
#: Orders in 30 days from which on a shop is in a class of its own.
_SIZES = (0, 30, 100, 300, 1_000, 3_000)

#: Where an alert belongs, None: nowhere.
_Part = Callable[[Pair], str | None]


def splits(pairs: Iterable[tuple[Pair, Change]], levels: tuple[Levels, Levels]) -> list[Split]:
    """The splits of the pairs, whose types are those that differ. `levels`: of both policies."""
    known = list(pairs)
    found = []
    parts: tuple[tuple[str, _Part], ...] = (
        ("carrier", lambda pair: pair.either.carrier),
        ("category", lambda pair: _of_shop(pair, levels, "category")),
        ("shop_size", lambda pair: _of_shop(pair, levels, "size")),
    )
    for by, part in parts:
        rows = _rows(known, part)
        if any(row.name is not None for row in rows):
            found.append(Split(by=by, rows=rows))  # type: ignore[arg-type]
    return found


def size_of(orders: int) -> str:
    """The class of a shop with so many orders in 30 days: `30-99`, `3000+`."""
    place = max(number for number, least in enumerate(_SIZES) if orders >= least)
    return f"{_SIZES[place]}-{_SIZES[place + 1] - 1}" if place + 1 < len(_SIZES) else f"{_SIZES[place]}+"


def _of_shop(pair: Pair, levels: tuple[Levels, Levels], what: str) -> str | None:
    shop = pair.either.shop_id
    if shop is None:
        return None
    sides = [side.shops[shop] for side in levels if shop in side.shops]
    if not sides:
        return None
    if what == "category":
        return next((side.category for side in sides if side.category is not None), None)
    return size_of(max(side.orders for side in sides))


def _rows(pairs: list[tuple[Pair, Change]], part: _Part) -> list[SplitRow]:
    counts: dict[str, dict[str | None, Counter[Change]]] = {}
    for pair, change in pairs:
        counts.setdefault(pair.either.type, {}).setdefault(part(pair), Counter())[change] += 1
    rows: list[SplitRow] = []
    for type_, parts in counts.items():
        of_type = [_row(type_, name, changes) for name, changes in parts.items()]
        of_type.sort(key=lambda row: (-sum(row.changes.values()) + row.changes["same"], row.name or ""))
        rows += of_type[:MOST]
    return rows


def _row(type_: str, name: str | None, changes: Counter[Change]) -> SplitRow:
    total = changes.total()
    return SplitRow(
        type=type_,
        name=name,
        a=total - changes["only_b"],
        b=total - changes["only_a"],
        changes={change: changes[change] for change in CHANGES},
    )
