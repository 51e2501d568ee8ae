"""Late events are told loudly where they are many: a past stream is being read into running workers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from streams.worker.lateness import MANY, WINDOW, Lateness


class Seconds:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_the_share_is_that_of_the_last_minute_by_topic() -> None:
    seconds = Seconds()
    lateness = Lateness(seconds)
    lateness.take("orders", 10, 0)
    lateness.take("orders", 0, 4)
    lateness.take("chats", 10, 0)
    assert lateness.shares() == {"orders": 0.4, "chats": 0.0}
    seconds.now = WINDOW - 1
    lateness.take("orders", 10, 0)
    assert lateness.shares()["orders"] == 0.2
    seconds.now = WINDOW
    assert lateness.shares() == {"orders": 0.0, "chats": 0.0}


@pytest.mark.parametrize(("records", "late", "loud"), [
    (MANY * 10, MANY, True), (MANY * 10 + 1, MANY, False), (MANY * 2, MANY - 1, False),
])  # fmt: skip
def test_much_and_many_are_told(said: list[Any], records: int, late: int, loud: bool) -> None:
    lateness = Lateness(Seconds())
    lateness.take("orders", records, late)
    lateness.shares()
    assert len(said) == loud
    if loud:
        assert said[0]["log_level"] == "error"
        assert (said[0]["topic"], said[0]["share"], said[0]["late"]) == ("orders", "10%", MANY)
        assert "--catch-up" in said[0]["do"]


def test_it_is_told_once_a_minute(said: list[Any]) -> None:
    seconds = Seconds()
    lateness = Lateness(seconds)
    for second in range(int(WINDOW) + 2):
        seconds.now = second
        lateness.take("orders", 100, 96)
        lateness.shares()
    assert [line["share"] for line in said] == ["96%", "96%"]
