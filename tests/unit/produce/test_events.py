"""What is sent of files, in which order, and what is left out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from schemas.times import DAY, parse
from streams.produce.events import BadLine, Event, events
from streams.replay.reading import MissingInput

T0 = parse("2026-03-02T10:00:00Z")


def scan(number: str, at: str) -> dict[str, str]:
    return {
        "event_id": f"{number}{at}", "type": "scan", "occurred_at": at, "tracking_no": number, "carrier": "ZTO",
        "status": "arrived",
    }  # fmt: skip


def line(number: str, at: str) -> str:
    return json.dumps({"topic": "logistics-scans", "value": scan(number, at)}) + "\n"


def sent(*sources: Path, now: int = T0 + 9 * DAY) -> list[tuple[str, bytes]]:
    return [(each.topic, each.key) for each in events(sources, lambda: now) if isinstance(each, Event)]


def left_out(*sources: Path, now: int = T0) -> list[str]:
    return [str(each) for each in events(sources, lambda: now) if isinstance(each, BadLine)]


def test_several_files_are_merged_by_time_and_each_keeps_its_order(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl.gz"
    one.write_text(line("A", "2026-03-02T10:00:00Z") + line("B", "2026-03-02T12:00:00Z"))
    two.write_bytes(gzip.compress((line("C", "2026-03-02T11:00:00Z") + line("D", "2026-03-02T09:00:00Z")).encode()))
    assert [key for _, key in sent(one, two)] == [b"A", b"C", b"D", b"B"]


def test_a_folder_has_a_file_for_each_topic(tmp_path: Path) -> None:
    (tmp_path / "logistics-scans.jsonl").write_text(json.dumps(scan("P", "2026-03-02T10:00:00Z")))
    order = {"event_id": "o", "type": "order.completed", "occurred_at": "2026-03-02T09:00:00Z"}
    (tmp_path / "orders.jsonl").write_text(json.dumps({**order, "order_id": "O1", "shop_id": "S"}))
    assert sent(tmp_path) == [("orders", b"O1"), ("logistics-scans", b"P")]


def test_a_value_goes_out_as_it_stood(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    value = json.dumps(scan("P", "2026-03-02T10:00:00Z"), indent=None, separators=(" , ", ":  "))
    file.write_text(f'{{"topic":"logistics-scans","value":{value}}}\n')
    (event,) = events([file], lambda: T0)
    assert isinstance(event, Event)
    assert (event.value, event.at) == (value.encode(), T0)


def test_lines_that_are_no_events_are_named_with_the_reason_and_nothing_of_their_text(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(
        "{secret\n\n"
        '{"topic":"parcels","value":{}}\n' + line("A", "2026-03-02T10:00:00Z") + line("A", "2026-03-02 10:00")
    )
    assert left_out(file) == [
        f"{file}: line 1: not_json: not one JSON value in UTF-8",
        f"{file}: line 3: unknown_topic: topic: none of those that are read",
        f"{file}: line 5: bad_time: occurred_at: not an RFC 3339 time with an offset, from the year 1 to 9999 in UTC",
    ]


@pytest.mark.parametrize(("at", "out"), [(T0, 0), (T0 - 1, 1)])
def test_an_event_more_than_a_day_ahead_of_now_is_none(tmp_path: Path, at: int, out: int) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text(line("A", "2026-03-03T10:00:00Z"))
    assert len(left_out(file, now=at)) == out


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingInput):
        list(events([tmp_path / "none.jsonl"], lambda: T0))
