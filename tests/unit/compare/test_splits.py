"""The alerts of two policies, split by carrier, category and size of shops."""

from __future__ import annotations

from collections import Counter

import pytest

from streams.compare.episodes import Episode
from streams.compare.findings import Change
from streams.compare.levels import Levels, Shop
from streams.compare.matching import Pair
from streams.compare.splits import MOST, size_of, splits


def pair(carrier: str | None, shop: str | None, change: Change) -> tuple[Pair, Change]:
    episode = Episode("shipment.stalled", "1", shop, None, carrier, ("x",), 0)
    return Pair(None if change == "only_b" else episode, None if change == "only_a" else episode), change


def of_shops(**shops: Shop) -> Levels:
    levels = Levels()
    levels.shops = shops
    return levels


def test_every_alert_is_in_one_part_of_each_split() -> None:
    pairs = [
        pair("ZTO", "a", "same"), pair("ZTO", "b", "only_b"), pair("YTO", "b", "earlier"), pair("YTO", None, "only_a"),
    ]  # fmt: skip
    levels = of_shops(a=Shop("toys", 40), b=Shop("tea", 5_000)), of_shops(b=Shop("tea", 5_000))
    found = {split.by: split.rows for split in splits(pairs, levels)}

    assert {(row.name, row.a, row.b) for row in found["carrier"]} == {("ZTO", 1, 2), ("YTO", 2, 1)}
    assert {(row.name, row.a, row.b) for row in found["category"]} == {("toys", 1, 1), ("tea", 1, 2), (None, 1, 0)}
    assert {row.name for row in found["shop_size"]} == {"30-99", "3000+", None}
    for rows in found.values():
        assert sum((Counter(row.changes) for row in rows), Counter()) == Counter(change for _, change in pairs)


def test_the_part_with_the_most_differences_comes_first() -> None:
    pairs = [pair("ZTO", None, "same")] * 9 + [pair("YTO", None, "only_b")] * 2 + [pair("EMS", None, "later")]
    (split,) = splits(pairs, (Levels(), Levels()))

    assert [row.name for row in split.rows] == ["YTO", "EMS", "ZTO"]


def test_no_more_parts_are_told_than_anyone_reads() -> None:
    (split,) = splits([pair(str(number), None, "later") for number in range(100)], (Levels(), Levels()))

    assert len(split.rows) == MOST


@pytest.mark.parametrize(
    ("orders", "size"), [(0, "0-29"), (29, "0-29"), (30, "30-99"), (2_999, "1000-2999"), (3_000, "3000+")]
)
def test_shops_are_told_apart_by_their_orders(orders: int, size: str) -> None:
    assert size_of(orders) == size
