"""A comparison reaches from one end of the calendar to the other."""

from __future__ import annotations

import io
import json

import msgspec
import pytest
from rich.console import Console

from schemas.times import parse
from streams.compare.findings import Findings, LevelCounts
from streams.compare.judging import judge
from streams.compare.report import render
from streams.compare.table import show
from streams.compare.trial import Run
from streams.policy import load
from streams.replay.reading import Line

FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"


def findings(*times: str) -> Findings:
    """What two policies say of parcels that are shipped at these times, and then nothing."""
    lines = []
    for number, at in enumerate(times, 1):
        value = {"event_id": f"e{number}", "type": "order.shipped", "occurred_at": at, "order_id": f"A{number}",
                 "shop_id": "S1", "tracking_no": f"X{number}", "carrier": "SF"}  # fmt: skip
        lines.append(Line(number, "orders", json.dumps(value).encode()))
    run = Run([load.load("default"), load.load("tmall-2026")])
    run.take(lines, parse(LAST))
    return judge(run)


@pytest.mark.parametrize("times", [(FIRST,), ("9999-12-29T00:00:00Z",), (FIRST, "9999-12-29T00:00:00Z")])
def test_alerts_at_the_ends_are_shown(times: tuple[str, ...]) -> None:
    found = findings(*times)
    out = io.StringIO()
    show(found, Console(file=out))
    assert "Alerts by day" in out.getvalue()
    assert "<svg" in render(found)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_levels_at_the_ends_are_drawn(day: str) -> None:
    counts = [LevelCounts(day=day, a={"campaign_block": 1}, b={})]
    assert "<svg" in render(msgspec.structs.replace(findings(FIRST), levels=counts))
