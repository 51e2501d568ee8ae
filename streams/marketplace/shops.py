"""The shops of the simulated marketplace: what they sell, and how well they serve their buyers."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from streams.marketplace.places import PLACES, Province

CATEGORIES = ("women-clothing", "home-textiles", "snacks", "3c-digital", "footwear", "toys")
#: So many shops share a category: enough of them have orders for the category to have a mean.
PER_CATEGORY = 6


@dataclass(slots=True)
class Shop:
    """One shop. `weight`: its part of all orders. Shares are of its orders, `slow_answers` of its tickets."""

    shop_id: str
    category_id: str
    place: Province
    items: tuple[str, ...]
    weight: float
    late_shipping: float
    slow_answers: float
    trouble: float
    #: What `trouble` has grown to from event to event; an order whose share takes it past 1 goes wrong.
    _due: float = field(default=0.0)

    def goes_wrong(self, more: float) -> bool:
        """Whether the next order ends in an escalation; `more` is added to the shop's own share.

        Evenly over the orders and not by chance, so that a small shop's rate is steady.
        """
        self._due += self.trouble + more
        if self._due < 1:
            return False
        self._due -= 1
        return True


def open_shops(rng: Random, number: int) -> list[Shop]:
    """`number` shops, PER_CATEGORY to a category; the first is the one that buyers come to be angry with."""
    shops = []
    for index in range(number):
        angry = index == 0
        shop_id = f"shop-{index + 1:03d}"
        shops.append(
            Shop(
                shop_id=shop_id,
                category_id=CATEGORIES[index // PER_CATEGORY % len(CATEGORIES)],
                place=PLACES[0] if angry else rng.choice(PLACES[:6]),
                items=tuple(f"item-{index + 1:03d}-{item + 1}" for item in range(4 + index % 4)),
                weight=2.0 if angry else rng.uniform(0.8, 1.5),
                late_shipping=0.12 if angry else rng.uniform(0.01, 0.05),
                slow_answers=0.2 if angry else 0.04,
                trouble=0.015,
                _due=rng.random(),
            )
        )
    return shops
