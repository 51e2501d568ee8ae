"""`parcelwatch produce` as a user meets it where there is no broker, or no input."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.cli.main import main


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["produce", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert not said.out
    return said.err


def test_a_missing_input_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "none.jsonl"
    assert refusal(capsys, str(file)) == f"parcelwatch: {file}: no such file or folder\n"


def test_no_broker_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "in.jsonl"
    file.touch()
    said = refusal(capsys, str(file), "--broker", "kafka://127.0.0.1:1")
    assert said == "parcelwatch: the broker cannot be used: connecting to 127.0.0.1:1: no broker answers\n"


def test_a_speed_of_0_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--speed" in refusal(capsys, str(tmp_path), "--speed", "0")
