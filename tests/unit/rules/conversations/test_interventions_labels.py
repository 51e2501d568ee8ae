"""What the detector is measured on: places of real messages, and not a word of them; and messages written for it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from streams.policy.load import load
from streams.rules.conversations.interventions import asks_for_staff
from streams.rules.conversations.topics import TOPICS

FOLDER = Path(__file__).parents[4] / "bench" / "detector"
LABELS = FOLDER / "labels.csv"
BLIND = FOLDER / "blind.csv"
WRITTEN = FOLDER / "written.csv"


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
        assert (row["topic"] in TOPICS) is (row["drawn"] != "border")
        assert row["drawn"] in ("search", "random", "border")
    assert len({row["hash"] for row in rows}) == len(rows)
    assert LABELS.read_text(encoding="utf-8").isascii()


def test_blind_labels_are_complete_hold_no_text_and_none_of_the_first_measurement() -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        known = {row["hash"] for row in csv.DictReader(file)}
    with BLIND.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) >= 400
    assert {row["drawn"] for row in rows} == {"net", "net-earlier", "random", "later"}
    for row in rows:
        assert re.fullmatch("[0-9a-f]{12}", row["hash"])
        assert row["intervention"] in ("yes", "no")
        assert (row["topic"] in TOPICS) is (row["drawn"] == "random")
        assert float(row["weight"]) >= 1
    assert len({row["hash"] for row in rows}) == len(rows)
    assert not known & {row["hash"] for row in rows}
    assert BLIND.read_text(encoding="utf-8").isascii()


def test_the_default_lists_find_nine_of_ten_written_messages_and_hardly_any_that_does_not_ask() -> None:
    rules = load("default").interventions
    with WRITTEN.open(encoding="utf-8", newline="") as file:
        rows = [(row["intervention"] == "yes", asks_for_staff(row["text"], rules)) for row in csv.DictReader(file)]
    asking, seen = sum(asks for asks, _ in rows), sum(found for _, found in rows)
    both = sum(asks and found for asks, found in rows)
    assert asking >= 60
    assert both >= 0.9 * asking
    assert both >= 0.9 * seen
