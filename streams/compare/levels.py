"""The levels of shops over time, from the records of the table `help-rates`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import Any, NamedTuple

from schemas.times import HOUR, parse
from streams.engine.processor import BEGINNING
from streams.rules.help_rate.levels import INSUFFICIENT
from streams.stages.help_rate.shop_levels import HELP_RATES
from streams.stages.tables import TableRecord


class Change(NamedTuple):
    """From the boundary `time` (microseconds) on, the shop is at `level`."""

    time: int
    level: str


class Shop(NamedTuple):
    """What a shop's alerts can be split by: the category it had last, and the most orders that it had in 30 days."""

    category: str | None
    orders: int


class Levels:
    """Collects the changes of level of every shop under one policy. A shop without a record has no level yet."""

    def __init__(self) -> None:
        self.changes: dict[str, list[Change]] = {}
        self.shops: dict[str, Shop] = {}
        self._last: dict[str, dict[str, Any]] = {}
        self._latest = BEGINNING

    def take(self, records: Iterable[TableRecord]) -> None:
        """Records in the order in which they are sent."""
        for record in records:
            if record.table != HELP_RATES:
                continue
            if record.value is None:
                # A tombstone names no time; it is not before the records that were sent before it.
                self._last.pop(record.key, None)
                self._change(record.key, self._latest, INSUFFICIENT)
                continue
            self._last[record.key] = record.value
            known = self.shops.get(record.key, Shop(None, 0))
            category, orders = record.value["main_category"], record.value["30d"]["orders"]
            self.shops[record.key] = Shop(category or known.category, max(orders, known.orders))
            self._latest = max(self._latest, parse(record.value["as_of"]))
            self._change(record.key, self._latest, record.value["state"])

    def at_end(self, shop_id: str) -> str:
        """The shop's last level."""
        changes = self.changes.get(shop_id)
        return changes[-1].level if changes else INSUFFICIENT

    def rate_at_end(self, shop_id: str) -> float | None:
        """The shop's last 30-day rate, escalations per order; None without orders."""
        value = self._last.get(shop_id)
        rate: float | None = value["30d"]["rate"] if value is not None else None
        return rate

    def _change(self, shop_id: str, time: int, level: str) -> None:
        changes = self.changes.setdefault(shop_id, [])
        if level != (changes[-1].level if changes else INSUFFICIENT):
            changes.append(Change(time, level))


def hours_apart(a: list[Change], b: list[Change], end: int) -> float:
    """For how many hours up to `end` (microseconds) one shop was at different levels."""
    apart, since = 0, BEGINNING
    now = {0: INSUFFICIENT, 1: INSUFFICIENT}
    for time, side, level in _both(a, b):
        if now[0] != now[1]:
            apart += time - since
        now[side], since = level, time
    if now[0] != now[1]:
        apart += max(0, end - since)
    return round(apart / HOUR, 2)


def _both(a: list[Change], b: list[Change]) -> Iterator[tuple[int, int, str]]:
    return merge(*([(change.time, side, change.level) for change in changes] for side, changes in enumerate((a, b))))


def at_level(changes: Iterable[list[Change]], moments: list[int]) -> list[dict[str, int]]:
    """How many shops are at each level at each of the moments, which ascend; shops without a level are left out."""
    moves = sorted(
        (change.time, before, change.level)
        for one in changes
        for change, before in zip(one, [INSUFFICIENT, *(earlier.level for earlier in one)], strict=False)
    )
    counts: dict[str, int] = {}
    result = []
    place = 0
    for moment in moments:
        while place < len(moves) and moves[place][0] <= moment:
            _, before, after = moves[place]
            counts[before] = counts.get(before, 0) - 1
            counts[after] = counts.get(after, 0) + 1
            place += 1
        result.append({level: count for level, count in sorted(counts.items()) if count > 0 and level != INSUFFICIENT})
    return result
