"""`parcelwatch status` where nobody answers."""

from __future__ import annotations

from tests.unit.cli import run


def test_a_broker_that_does_not_answer_is_status_3_and_one_line() -> None:
    ended = run("status", "--broker", "kafka://127.0.0.1:1")
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.startswith("parcelwatch: the broker cannot be used: ")
    assert not ended.stdout
