"""Names of fields: found whatever their spelling, and what strangers send is not kept."""

from __future__ import annotations

from streams.adapt.reading import search
from streams.adapt.reading.paths import field_of, holds


def test_of_two_spellings_of_a_name_the_first_that_says_something_holds() -> None:
    value = {"Order_ID": "", "order-id": "A-1", "orderid": "A-2"}
    assert field_of(value, "order_id") == "A-1"
    assert field_of(value, "orderid") == "A-2"
    assert field_of(value, "order") is None
    assert holds(value, "ORDER id")
    assert not holds(value, "order")


def test_names_that_no_platform_has_are_not_remembered() -> None:
    kept = search._by_folded.cache_info().currsize, search._folded.cache_info().currsize
    assert search.names_of({"X" * 3_000: 1}) == {"x" * 3_000: ["X" * 3_000]}
    many = {f"field {number}": 1 for number in range(90)}
    assert len(search.names_of(many)) == 90
    assert search._by_folded.cache_info().currsize == kept[0]
    assert search._folded.cache_info().currsize <= kept[1] + 90
