"""What a person reads of invented timelines, word for word, in both languages.

The pages are in `pages/`: whoever changes a sentence reads there what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from streams.explain.terminal import Page
from streams.explain.wording import Words
from tests.unit.explain import scenes
from tests.unit.explain.telling import Told
from tests.unit.rules.timeline import Timeline, days, hours

PAGES = Path(__file__).parent / "pages"
SCENES: list[tuple[str, Callable[[], Timeline], str, int | None]] = [
    ("stalled", scenes.stalled_and_moving_again, "X1", None),
    ("not-registered", scenes.nobody_registered, "Z9", days(20)),
    ("moved-and-prevented", scenes.feed_went_silent, "X1", hours(217)),
    ("moved-and-raised", scenes.feed_went_silent, "X2", hours(220)),
    ("held", scenes.feed_went_silent, "X2", hours(202)),
    ("late-order", scenes.late_order, "A", None),
    ("paused-ticket", scenes.paused_ticket, "K", None),
    ("slow-answers", scenes.slow_answers, "C1", None),
    ("shop", scenes.shops, "S1", days(5)),
]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(("name", "scene", "subject", "until"), SCENES, ids=[scene[0] for scene in SCENES])
def test_a_page_says_what_happened_and_why(
    name: str, scene: Callable[[], Timeline], subject: str, until: int | None, language: str
) -> None:
    assert Told(scene(), subject, until).page(language) == (PAGES / f"{name}.{language}.txt").read_text()


def test_a_terminal_gets_colour_and_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    told, out = Told(scenes.stalled_and_moving_again(), "X1"), Terminal()
    Page(Words("en"), out).write(told.watch, told.stories)
    assert "\x1b[1;31mraised·critical Parcel stalled" in out.getvalue()


def test_what_comes_from_outside_cannot_steer_the_terminal() -> None:
    timeline = Timeline().scan("arrived", 0, facility="\x1b[2J gone\nnext")
    assert "arrived, \ufffd[2J gone\ufffdnext" in Told(timeline, "X1").page()


def test_neither_buyers_nor_what_they_write_is_told() -> None:
    told = Told(scenes.late_order(), "A")
    for text in (told.page(), told.page("zh-CN"), str(told.json)):
        assert "B1" not in text
        assert "找平台客服" not in text
        assert "太慢了" not in text
