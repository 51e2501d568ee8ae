"""The findings of a comparison: the content of the JSON file, the table and the report.

Times are RFC 3339 in UTC, days `YYYY-MM-DD` in UTC. "a" is the policy given first, "b" the second.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

#: What became of an alert under the second policy. `same`: raised at the same instant.
Change = Literal["same", "earlier", "later", "only_a", "only_b"]
CHANGES: tuple[Change, ...] = ("same", "earlier", "later", "only_a", "only_b")


class Side(msgspec.Struct, kw_only=True):
    """One policy. `name` is what it is called here, `policy` what alerts call it; `late`: events read too late."""

    name: str
    policy: str
    alerts: int
    late: int


class Count(msgspec.Struct, kw_only=True):
    """The alerts of one type under one policy.

    `withdrawn`: disproved by a late event. `watched`: raised at least 24 h before the end, so that their outcome is
    known; `over_in_a_day`: those of them that resolved by themselves within 24 h, a sign of false alarms. `share`: the
    ratio of the two; null if none was watched, or if nothing resolves this type.
    """

    raised: int
    withdrawn: int
    watched: int
    over_in_a_day: int
    share: float | None


class Shift(msgspec.Struct, kw_only=True):
    """How many hours later B raised what both raised at different times; negative where it was earlier."""

    least: float
    median: float
    greatest: float


class Example(msgspec.Struct, kw_only=True):
    """One alert that differs. `explain`: what `parcelwatch explain` is asked for, null where it explains none such.

    `raised_a`, `raised_b`: null where it is not raised.
    """

    subject: str
    explain: str | None
    raised_a: str | None
    raised_b: str | None


class TypeRow(msgspec.Struct, kw_only=True):
    """One type of alert. `days`: alerts raised by day, under A and B; days without any are left out.

    `example`: the difference with the greatest shift, else the first; null: there is none.
    """

    type: str
    severity: str
    title: dict[str, str]
    a: Count
    b: Count
    changes: dict[Change, int]
    shift_hours: Shift | None
    example: Example | None
    days: dict[str, tuple[int, int]]

    @property
    def is_same(self) -> bool:
        """Whether both policies raised the same alerts at the same times."""
        return all(not count for change, count in self.changes.items() if change != "same")


class ShopRow(msgspec.Struct, kw_only=True):
    """A shop that was at different levels at some time.

    `changes`: how often its level changed. `hours_apart`: for how long the levels differed. `rate`: of 30 days.
    """

    shop_id: str
    level_a: str
    level_b: str
    rate_a: float | None
    rate_b: float | None
    changes_a: int
    changes_b: int
    hours_apart: float


class Shops(msgspec.Struct, kw_only=True):
    """`known`: shops that ever had a level; `differ_at_end`: of `rows`, those whose levels differ at the end."""

    known: int
    differ_at_end: int
    rows: list[ShopRow]


class LevelCounts(msgspec.Struct, kw_only=True):
    """How many shops are at each level at the beginning of a day."""

    day: str
    a: dict[str, int]
    b: dict[str, int]


class Difference(msgspec.Struct, kw_only=True):
    """One alert that the policies raise at different times, or one of them not at all. Null: not raised."""

    type: str
    subject: str
    shop_id: str | None
    order_id: str | None
    carrier: str | None
    change: Change
    raised_a: str | None
    raised_b: str | None


class SettingRow(msgspec.Struct, kw_only=True):
    """A setting in which the policies differ; null where one lacks it."""

    name: str
    a: Any
    b: Any


class SplitRow(msgspec.Struct, kw_only=True):
    """The alerts of one type that belong to one part of a split; `name` null: those that belong to none."""

    type: str
    name: str | None
    a: int
    b: int
    changes: dict[Change, int]


class Split(msgspec.Struct, kw_only=True):
    """All alerts of the types that differ, split by one property; the part with the most differences first.

    `carrier`: of the shipment. `category`: the main category that the shop had last. `shop_size`: the most orders that
    it had in 30 days.
    """

    by: Literal["carrier", "category", "shop_size"]
    rows: list[SplitRow]


class Findings(msgspec.Struct, kw_only=True):
    """The whole comparison. `first`, `until`: the first event and the end, null where there was none."""

    first: str | None
    until: str | None
    events: int
    dead: int
    left_out: int
    a: Side
    b: Side
    settings: list[SettingRow]
    types: list[TypeRow]
    splits: list[Split]
    shops: Shops
    levels: list[LevelCounts]
    differences: list[Difference]

    @property
    def changed(self) -> list[TypeRow]:
        """The types of which an alert differs."""
        return [row for row in self.types if not row.is_same]

    @property
    def shown(self) -> list[TypeRow]:
        """The types that are worth a look: those that changed, all where none did."""
        return self.changed or self.types

    @property
    def unchanged(self) -> list[TypeRow]:
        """The types of which none does."""
        return [row for row in self.types if row.is_same]

    def total(self, change: Change) -> int:
        """Alerts of all types with that change."""
        return sum(row.changes[change] for row in self.types)
