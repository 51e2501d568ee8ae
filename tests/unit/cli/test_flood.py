"""No event floods the log, whoever logs it."""

from __future__ import annotations

import json
import subprocess
import sys

import structlog

from streams.cli.flood import AT_ONCE, EVERY, Flood
from tests.patience import PATIENCE
from tests.unit.cli import environment

#: Logs the same in a loop, and something else behind it.
FLOODS = """
import sys
import structlog
from streams.cli.logging import configure
configure("json")
log = structlog.get_logger("streams.worker")
for number in range(100_000):
    log.warning("much", number=number)
log.warning("another")
"""


def test_a_hundred_thousand_lines_of_one_event_are_some_hundred_and_others_are_not_held_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FLOODS], check=True, capture_output=True, text=True, env=environment(), timeout=PATIENCE
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert told[-1]["event"] == "another"
    assert [line["number"] for line in told[:AT_ONCE]] == list(range(AT_ONCE))
    # One more for every ten seconds that it took.
    assert len(told) <= AT_ONCE + 1 + PATIENCE / EVERY


def test_the_next_line_says_how_many_were_left_out() -> None:
    now = [0.0]
    flood = Flood(lambda: now[0])

    def log(event: str, logger: str = "a") -> dict[str, object] | None:
        try:
            return dict(flood(None, "", {"logger": logger, "event": event}))
        except structlog.DropEvent:
            return None

    assert all(log("much") == {"logger": "a", "event": "much"} for _ in range(AT_ONCE))
    assert [log("much") for _ in range(7)] == [None] * 7
    assert log("much", "b") is not None
    now[0] = EVERY
    assert log("much") == {"logger": "a", "event": "much", "left_out": 7}
    assert log("much") is None
    now[0] += AT_ONCE * EVERY * 2
    assert sum(log("much") is not None for _ in range(AT_ONCE + 5)) == AT_ONCE


def test_events_without_number_take_no_memory_without_bound() -> None:
    flood = Flood(lambda: 0.0)
    for number in range(5_000):
        flood(None, "", {"logger": "a", "event": f"e{number}"})
    assert len(flood._events) <= 1_000
