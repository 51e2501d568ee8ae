"""Lines of Chinese break between characters; numbers and Latin words stay whole."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from streams.demo.wrapping import wrapped

TEXT = (
    "包裹 78300000372193（ZTO，订单 order-0000049）自北京时间 2026-10-07 16:21 起已 7 天"
    "没有物流更新，最后状态：已到达；首先怀疑：“疑似丢件”。"
)


@pytest.mark.parametrize("width", [24, 37, 60, 200])
def test_no_line_is_too_long_and_nothing_is_lost(width: int) -> None:
    lines = wrapped(TEXT, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == TEXT.replace(" ", "")
    # Filled as far as the next unit allows, which is a whole number or word at the most.
    assert all(cell_len(line) > width - 18 for line in lines[:-1])


def test_numbers_words_and_punctuation_stay_where_they_belong() -> None:
    for width in range(24, 80):
        for line in wrapped(TEXT, width):
            assert not line.startswith(("，", "。", "）", "；", "：", "”"))
            assert not line.endswith(("（", "“"))
        assert any("78300000372193" in line for line in wrapped(TEXT, width))


@pytest.mark.parametrize(("text", "lines"), [("", [""]), ("字" * 5, ["字字", "字字", "字"]), ("a" * 9, ["a" * 9])])
def test_the_shortest_and_the_longest(text: str, lines: list[str]) -> None:
    assert wrapped(text, 4) == lines
