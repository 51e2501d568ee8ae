"""A made-up marketplace, small enough to be compared in a moment."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from streams.marketplace.market import Plan, market


@pytest.fixture(scope="session")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file of lines, as replay and compare read it."""
    file = tmp_path_factory.mktemp("market") / "events.jsonl"
    with file.open("wb") as out:
        for record in market(Plan(seed=4, shops=8, orders_per_day=30, days=25)):
            out.write(orjson.dumps({"topic": record.topic, "value": record.value}) + b"\n")
    return file
