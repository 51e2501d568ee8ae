"""A body that was pushed is read as the same bytes are in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.adapt import InputError, Report, adapt, adapt_body, format_of, settings_for

PUSH = {
    "status": "polling",
    "lastResult": {
        "nu": "7830001",
        "com": "zhongtong",
        "data": [{"ftime": "2026-03-04 18:10:00", "context": "快件到达 【杭州转运中心】", "statusCode": "1002"}],
    },
}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(PUSH).encode(),
        json.dumps(PUSH, ensure_ascii=False).encode("gb18030"),
        b"not a push",
        b"",
        b"\x00",
        json.dumps({**PUSH, "lastResult": {**PUSH["lastResult"], "data": []}}).encode(),  # type: ignore[dict-item]
    ],
)
def test_a_body_gives_what_a_file_of_it_gives(tmp_path: Path, body: bytes) -> None:
    file = tmp_path / "push.json"
    file.write_bytes(body)
    told, expected = Report(), Report()
    chosen = format_of("kuaidi100")
    lines = list(adapt_body(chosen, body, settings_for(chosen), told))
    assert lines == list(adapt("kuaidi100", [file], report=expected))
    assert [problem.what for problem in told.problems] == [problem.what for problem in expected.problems]
    assert told.readable == expected.readable


def test_its_naive_times_are_of_the_given_zone() -> None:
    chosen = format_of("kuaidi100")
    (line,) = adapt_body(chosen, json.dumps(PUSH).encode(), settings_for(chosen, tz="Asia/Tokyo"), Report())
    assert line.value["occurred_at"] == "2026-03-04T18:10:00+09:00"


def test_an_unknown_format_and_an_unknown_zone_are_told() -> None:
    with pytest.raises(InputError, match="unknown format"):
        format_of("pigeons")
    with pytest.raises(InputError, match="Atlantis"):
        settings_for(format_of("kuaidi100"), tz="Atlantis")
