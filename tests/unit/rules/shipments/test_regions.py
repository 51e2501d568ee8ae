"""Province names as people write them."""

from __future__ import annotations

import tracemalloc

import pytest

from streams.rules.shipments import routes
from streams.rules.shipments.routes import are_different_provinces, is_province, province


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("浙江省", "浙江"),
        ("浙江", "浙江"),
        ("上海市", "上海"),
        ("新疆维吾尔自治区", "新疆"),
        ("广西壮族自治区", "广西"),
        ("宁夏回族自治区", "宁夏"),
        ("内蒙古自治区", "内蒙古"),
        ("西藏自治区", "西藏"),
        ("香港特别行政区", "香港"),
        ("澳门特别行政区", "澳门"),
        ("省", "省"),
        ("", ""),
        ("Zhejiang", "Zhejiang"),
    ],
)
def test_a_province_is_compared_by_its_bare_name(written: str, bare: str) -> None:
    assert province(written) == bare


def test_names_of_any_length_are_answered_and_not_remembered() -> None:
    tracemalloc.start()
    for number in range(200):
        name = f"{number}" + "省" * 30_000
        assert not is_province(name)
        assert not are_different_provinces(name, "浙江")
        assert routes.route(name, "浙江", ("新疆",), ()) == "cross_province"
    assert tracemalloc.get_traced_memory()[0] < 2 << 20
    tracemalloc.stop()
