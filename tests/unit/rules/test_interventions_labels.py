"""The labels that the detector is measured on: places of messages, and not a word of them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from streams.rules.topics import TOPICS

LABELS = Path(__file__).parents[3] / "bench" / "detector" / "labels.csv"


def test_labels_are_complete_and_hold_no_text() -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 300
    assert {row["dataset"] for row in rows} == {"jddc", "ecd"}
    for row in rows:
        assert list(row) == ["dataset", "file", "line", "turn", "hash", "intervention", "topic", "drawn"]
        assert int(row["line"]) > 0
        assert int(row["turn"]) >= 0
        assert re.fullmatch("[0-9a-f]{12}", row["hash"])
        assert row["intervention"] in ("yes", "no")
        assert row["topic"] in TOPICS
        assert row["drawn"] in ("search", "random")
    assert len({row["hash"] for row in rows}) == len(rows)
    assert LABELS.read_text(encoding="utf-8").isascii()
