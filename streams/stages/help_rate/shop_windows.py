"""Stage 5: the shops' windows of 7 and 30 days, by hour.

Takes hourly deltas; at each hour boundary with changes, emits the figures of the changed shops and the changes to
their categories' sums, and publishes the tally tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import islice
from operator import add, sub

import msgspec

from schemas.times import HOUR
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules.cases.case import DISTINCT_ORDER, ORDER, TALLIED, Delta
from streams.rules.help_rate import levels
from streams.rules.windows import WINDOWS
from streams.stages.help_rate.tallies import TallyBook

_ALL_WINDOWS = range(len(WINDOWS))
#: Places in a row of counts: orders, the kinds of escalation, the orders that escalated where each counts once (these
#: are places of `streams.rules.cases.case`), then two properties of escalations.
LINKED, CLOSED = DISTINCT_ORDER + 1, DISTINCT_ORDER + 2
COUNT_COLUMNS = CLOSED + 1
#: Counts of an item: orders, the kinds of escalation, the orders that escalated.
_ITEM_COUNTS = DISTINCT_ORDER + 1
#: Most items, categories or tallies per record, each of at most 128 characters and some numbers.
ENTRIES_OF_A_RECORD = 300
NO_ITEM_COUNTS = (0,) * _ITEM_COUNTS
#: A rate times this is an integer, so sums are exact in any order: the least double is 2**-1074.
SCALE = 1 << 1074


def _nothing() -> list[int]:
    return [0] * COUNT_COLUMNS


class Row(msgspec.Struct, array_like=True, gc=True):
    """One hour of one shop."""

    counts: list[int] = msgspec.field(default_factory=_nothing)
    categories: dict[str, int] = msgspec.field(default_factory=dict)
    #: By item, counts as those above as far as the orders that escalated.
    items: dict[str, list[int]] = msgspec.field(default_factory=dict)
    #: By name of what is tallied, see `streams.rules.help_rate.tally_names`.
    tallies: dict[str, int] = msgspec.field(default_factory=dict)

    @property
    def rated(self) -> bool:
        """True if anything here counts for the help rate, not only tallies."""
        return any(self.counts) or bool(self.categories or self.items)


class HourChange(msgspec.Struct, array_like=True, gc=False):
    """Change to one hour of one shop as of the boundary `effective` (microseconds, both on the hour)."""

    shop_id: str
    effective: int
    hour: int
    row: Row


def combine(deltas: Iterable[Delta]) -> list[HourChange]:
    """Merges deltas of the same shop, hour and boundary, so a large shop's traffic is one record, not thousands."""
    rows: dict[tuple[str, int, int], Row] = {}
    for delta in deltas:
        key = (delta.shop_id, delta.effective, delta.hour)
        row = rows.get(key)
        if row is None:
            row = rows[key] = Row()
        if delta.tally is not None:
            _add(row.tallies, delta.tally, delta.sign)
        if delta.kind == TALLIED:
            continue
        if delta.kind >= 0:
            row.counts[delta.kind] += delta.sign
        if delta.linked:
            row.counts[LINKED] += delta.sign
        if delta.closed:
            row.counts[CLOSED] += delta.sign
        for category, lines in delta.categories:
            _add(row.categories, category, lines * delta.sign)
        # An escalated order has its own delta, so it counts once for the shop and once for each of its items.
        place = delta.kind if delta.kind >= 0 else DISTINCT_ORDER
        for item in delta.items:
            _add_item(row.items, item, place, delta.sign)
    return [
        HourChange(shop_id, effective, hour, part)
        for (shop_id, effective, hour), row in rows.items()
        for part in _in_parts(row)
    ]


def _in_parts(row: Row) -> Iterator[Row]:
    """Splits a row into rows that add up to it, each small enough for one record."""
    most = ENTRIES_OF_A_RECORD
    yield Row(
        row.counts,
        dict(islice(row.categories.items(), most)),
        dict(islice(row.items.items(), most)),
        dict(islice(row.tallies.items(), most)),
    )
    longest = max(len(row.categories), len(row.items), len(row.tallies))
    for start in range(most, longest, most):
        yield Row(
            _nothing(),
            dict(islice(row.categories.items(), start, start + most)),
            dict(islice(row.items.items(), start, start + most)),
            dict(islice(row.tallies.items(), start, start + most)),
        )


class Figures(msgspec.Struct, array_like=True, gc=True):
    """A shop as of a boundary. `items`: the month's counts of those with enough orders, and of those that had."""

    shop_id: str
    week: list[int]
    month: list[int]
    category: str | None
    items: dict[str, list[int]]

    @property
    def empty(self) -> bool:
        """Nothing is left in the longest window, be it the lines of an order that does not count itself."""
        return not any(self.month) and self.category is None


class CategoryChange(msgspec.Struct, array_like=True, gc=False):
    """What the shops of one partition change in a category's sum at a boundary.

    `members`: shops whose main category it is; `shops`: those of them with enough orders; `total`: their rates times
    `SCALE`, in hexadecimal, since MessagePack has no integers of that size.
    """

    category: str
    members: int
    shops: int
    total: str


class Closed(msgspec.Struct, array_like=True, gc=True):
    """The changes of one boundary."""

    boundary: int
    figures: list[Figures]
    changes: list[CategoryChange]


class _Shop:
    __slots__ = ("categories", "items", "member", "month", "seen_items", "week")

    def __init__(self) -> None:
        self.week = [0] * COUNT_COLUMNS
        self.month = [0] * COUNT_COLUMNS
        self.categories: dict[str, int] = {}
        self.items: dict[str, list[int]] = {}
        #: What is in its category's sum: (category, rate times SCALE or None).
        self.member: tuple[str | None, int | None] = (None, None)
        self.seen_items: set[str] = set()

    def add(self, row: Row, number: int, sign: int) -> None:
        """Adds an hour to a window, or removes it."""
        counts = self.week if number == 0 else self.month
        counts[:] = map(add if sign > 0 else sub, counts, row.counts)
        if number == len(WINDOWS) - 1:
            for category, lines in row.categories.items():
                _add(self.categories, category, sign * lines)
            for item, counted in row.items.items():
                _add_items(self.items, item, counted, sign)


class ShopBook:
    """The state of stage 5 of one partition."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._numerator = levels.numerator(policy.help_rate)
        self.rows: dict[tuple[str, int], Row] = {}
        #: By boundary, what changes as of it by (shop, hour).
        self.waiting: dict[int, dict[tuple[str, int], Row]] = {}
        self.closed: list[Closed] = []
        #: Publishes at the boundaries, by itself.
        self.tallies = TallyBook()
        self.changed_rows: set[tuple[str, int]] = set()
        self.changed_waiting: set[tuple[int, str, int]] = set()
        #: The next boundary that is not closed yet, if any was passed.
        self.next_boundary = BEGINNING
        self._shops: dict[str, _Shop] = {}
        self._leaving: dict[int, list[tuple[str, int, int]]] = {}
        self._agenda: list[int] = []
        self._on_agenda: set[int] = set()

    def add(self, change: HourChange) -> None:
        """Takes a change. If its boundary is already closed, it counts as of the next one."""
        effective = max(change.effective, self.next_boundary)
        self._plan(effective)
        rows = self.waiting.setdefault(effective, {})
        known = rows.get((change.shop_id, change.hour))
        if known is None:
            known = rows[change.shop_id, change.hour] = Row()
        _add_row(known, change.row)
        self.changed_waiting.add((effective, change.shop_id, change.hour))

    def advance(self, horizon: Horizon, at_most: int = 1_000_000) -> bool:
        """Closes the boundaries that the horizon has passed, at most so many. True: there are more."""
        done = 0
        while self._agenda and self._agenda[0] < horizon.watermark:
            if done >= at_most:
                return True
            boundary = heappop(self._agenda)
            self._on_agenda.discard(boundary)
            self._close(boundary)
            # Updated per boundary: a restart midway must not close a boundary twice.
            self.next_boundary = max(self.next_boundary, boundary + HOUR)
            done += 1
        # The first boundary that is not below the watermark.
        self.next_boundary = max(self.next_boundary, -(-horizon.watermark // HOUR) * HOUR)
        return False

    def _close(self, boundary: int) -> None:
        touched: dict[str, None] = {}
        # What leaves goes first: a change of an hour that has left a window must not count there.
        for shop_id, hour, window in self._leaving.pop(boundary, ()):
            if self._leave(shop_id, hour, window):
                touched[shop_id] = None
        for (shop_id, hour), row in self.waiting.pop(boundary, {}).items():
            self.changed_waiting.add((boundary, shop_id, hour))
            if self._apply(shop_id, hour, row, boundary):
                touched[shop_id] = None
        self.tallies.publish(boundary)
        if not touched:
            return
        sums: dict[str, list[int]] = {}
        figures = [self._figures(shop_id, sums) for shop_id in touched]
        changes = [
            CategoryChange(category, members, shops, format(total, "x"))
            for category, (members, shops, total) in sums.items()
            if members or shops or total
        ]
        self.closed.append(Closed(boundary, figures, changes))
        for one in figures:
            if one.empty:
                del self._shops[one.shop_id]

    def _apply(self, shop_id: str, hour: int, change: Row, boundary: int) -> bool:
        """Applies a change to the hour and its windows, as of the boundary. True: the help rate is affected."""
        windows: Sequence[int] = _ALL_WINDOWS
        if hour < boundary - WINDOWS[0]:
            windows = [number for number, window in enumerate(WINDOWS) if hour >= boundary - window]
        if not windows:
            return False
        key = (shop_id, hour)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row()
            for number in windows:
                self._plan_leaving(shop_id, hour, number)
        self.changed_rows.add(key)
        _add_row(row, change)
        if change.tallies:
            for number in windows:
                self.tallies.add(shop_id, change.tallies, number, 1)
        if not change.rated:
            return False
        shop = self._shops.setdefault(shop_id, _Shop())
        for number in windows:
            shop.add(change, number, 1)
        return True

    def _leave(self, shop_id: str, hour: int, number: int) -> bool:
        """Removes an hour from a window; from the longest, evicts it. True: the help rate is affected."""
        row = self.rows.get((shop_id, hour))
        if row is None:
            return False
        if number == len(WINDOWS) - 1:
            del self.rows[shop_id, hour]
            self.changed_rows.add((shop_id, hour))
        if row.tallies:
            self.tallies.add(shop_id, row.tallies, number, -1)
        shop = self._shops.get(shop_id)
        if shop is None or not row.rated:
            return False
        shop.add(row, number, -1)
        return True

    def _figures(self, shop_id: str, sums: dict[str, list[int]]) -> Figures:
        shop = self._shops[shop_id]
        least = self.policy.help_rate.min_orders
        category = _main(shop.categories)
        enough = {item for item, counted in shop.items.items() if counted[ORDER] >= least}
        items = {item: list(shop.items.get(item, NO_ITEM_COUNTS)) for item in sorted(enough | shop.seen_items)}
        shop.seen_items = enough
        figures = Figures(shop_id, list(shop.week), list(shop.month), category, items)
        rate = levels.rate(shop.month, self._numerator) if shop.month[ORDER] >= least else None
        member = (category, scaled(rate) if rate is not None else None)
        if member != shop.member:
            for (one, total), sign in ((shop.member, -1), (member, 1)):
                if one is None:
                    continue
                change = sums.setdefault(one, [0, 0, 0])
                change[0] += sign
                if total is not None:
                    change[1] += sign
                    change[2] += sign * total
            shop.member = member
        return figures

    def _plan_leaving(self, shop_id: str, hour: int, number: int) -> None:
        boundary = hour + WINDOWS[number] + HOUR
        self._leaving.setdefault(boundary, []).append((shop_id, hour, number))
        self._plan(boundary)

    def _plan(self, boundary: int) -> None:
        if boundary not in self._on_agenda:
            self._on_agenda.add(boundary)
            heappush(self._agenda, boundary)

    def rebuild(
        self,
        rows: dict[tuple[str, int], Row],
        waiting: dict[int, dict[tuple[str, int], Row]],
        members: dict[str, tuple[str | None, str | None, list[str]]],
        next_boundary: int,
    ) -> None:
        """Restores the state; `members`: the result of `membership`, by shop."""
        self.rows, self.waiting, self.next_boundary = rows, waiting, next_boundary
        for boundary in waiting:
            self._plan(boundary)
        for (shop_id, hour), row in rows.items():
            shop = self._shops.setdefault(shop_id, _Shop()) if row.rated else None
            for number, window in enumerate(WINDOWS):
                # What has left by the boundaries closed is not in the window any more.
                if hour + window + HOUR >= next_boundary:
                    self._plan_leaving(shop_id, hour, number)
                    self.tallies.add(shop_id, row.tallies, number, 1)
                    if shop is not None:
                        shop.add(row, number, 1)
        self.tallies.restored()
        for shop_id, (category, total, items) in members.items():
            shop = self._shops.setdefault(shop_id, _Shop())
            shop.member = (category, int(total, 16) if total is not None else None)
            shop.seen_items = set(items)

    def membership(self, shop_id: str) -> tuple[str | None, str | None, list[str]] | None:
        """What `rebuild` needs of a shop besides its rows; None if the shop is gone."""
        shop = self._shops.get(shop_id)
        if shop is None:
            return None
        category, total = shop.member
        return category, format(total, "x") if total is not None else None, sorted(shop.seen_items)


def _main(categories: dict[str, int]) -> str | None:
    """The category with the most lines; of equal ones the smallest id."""
    most = max(categories.values(), default=0)
    return min((one for one, lines in categories.items() if lines == most), default=None)


def scaled(rate: float) -> int:
    """The rate times `SCALE`, exactly."""
    numerator, denominator = rate.as_integer_ratio()
    return numerator * (SCALE // denominator)


def _add_row(row: Row, change: Row) -> None:
    row.counts[:] = map(add, row.counts, change.counts)
    for category, lines in change.categories.items():
        _add(row.categories, category, lines)
    for name, count in change.tallies.items():
        _add(row.tallies, name, count)
    for item, counted in change.items.items():
        _add_items(row.items, item, counted, 1)


def _add(counts: dict[str, int], key: str, value: int) -> None:
    left = counts.get(key, 0) + value
    if left:
        counts[key] = left
    else:
        counts.pop(key, None)


def _add_item(items: dict[str, list[int]], item: str, place: int, value: int) -> None:
    change = [0] * _ITEM_COUNTS
    change[place] = value
    _add_items(items, item, change, 1)


def _add_items(items: dict[str, list[int]], item: str, change: list[int], sign: int) -> None:
    """Adds or subtracts an item's counts; drops items with no counts left."""
    known = items.get(item, NO_ITEM_COUNTS)
    counts = list(map(add if sign > 0 else sub, known, change))
    if any(counts):
        items[item] = counts
    else:
        items.pop(item, None)
