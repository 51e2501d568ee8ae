"""Every option is an environment variable, too; what is given on the command line comes first."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from streams.cli.main import COMMANDS, command_of, main

SCANS = (
    '{"event_id":"1","type":"scan","occurred_at":"2026-03-02T10:00:00Z","tracking_no":"P1","carrier":"ZTO",'
    '"status":"picked_up","region":"浙江"}\n'
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/logistics-scans.jsonl").write_text(SCANS)


def replay(*arguments: str) -> dict[str, object]:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "in", *arguments])
    assert not ended.value.code
    (summary,) = Path().glob("*/summary.json")
    read: dict[str, object] = json.loads(summary.read_text())
    return read


def test_until_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCELWATCH_UNTIL", "2026-03-20T00:00:00Z")
    assert replay()["watermark"] == "2026-03-20T00:00:00Z"


def test_the_command_line_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCELWATCH_UNTIL", "2026-03-20T00:00:00Z")
    assert replay("--until", "2026-03-05T00:00:00Z")["watermark"] == "2026-03-05T00:00:00Z"


def test_the_policy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(replay()["policy"]).startswith("default@")
    monkeypatch.setenv("PARCELWATCH_POLICY", "tmall-2026")
    assert str(replay()["policy"]).startswith("tmall-2026@")


def test_the_folder_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCELWATCH_OUT", "elsewhere")
    replay()
    assert Path("elsewhere/summary.json").is_file()


def test_a_variable_that_is_wrong_is_a_mistake_like_any_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARCELWATCH_UNTIL", "yesterday")
    with pytest.raises(SystemExit) as ended:
        main(["replay", "in"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "parcelwatch: Invalid value for '--until': not an RFC 3339 time with an offset: yesterday\n"
    )


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_option_is_without_its_variable(command: str) -> None:
    for parameter in command_of(command).params:
        if isinstance(parameter, click.Option):
            option = max(parameter.opts, key=len).removeprefix("--").replace("-", "_").upper()
            named = parameter.envvar
            assert f"PARCELWATCH_{option}" in ([named] if isinstance(named, str) else named or [])
