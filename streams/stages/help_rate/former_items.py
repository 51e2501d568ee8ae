"""Counts of items in format 1 (0.1.0): orders, and escalations of all kinds in one number.

All of these are put under the first kind that the policy's rate counts, so the item's rate and level stay what they
were. How they are split by kind is right once the window has passed.
"""

from __future__ import annotations

from streams.policy.model import Policy
from streams.rules.cases.case import DISPUTE, ORDER
from streams.rules.help_rate.levels import numerator
from streams.stages.help_rate.shop_windows import NO_ITEM_COUNTS, Figures, Row

#: Numbers of an item in format 1.
_FORMER = 2


class FormerItems:
    """Brings items of format 1 into the present format, in place; leaves others as they are."""

    def __init__(self, policy: Policy) -> None:
        self._place = next(iter(numerator(policy.help_rate)), DISPUTE)

    def row(self, row: Row) -> Row:
        """The row itself."""
        self._widen(row.items)
        return row

    def figures(self, figures: Figures) -> Figures:
        """The figures themselves."""
        self._widen(figures.items)
        return figures

    def _widen(self, items: dict[str, list[int]]) -> None:
        for item, counts in items.items():
            if len(counts) == _FORMER:
                orders, escalations = counts
                wide = [*NO_ITEM_COUNTS]
                wide[ORDER], wide[self._place] = orders, escalations
                items[item] = wide
