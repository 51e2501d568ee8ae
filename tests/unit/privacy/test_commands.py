"""Commands that read files say nothing that bears the mark, whatever they are asked."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner

from schemas.times import DAY, render
from streams.cli.main import parcelwatch
from tests.unit.privacy.secrets import INPUTS, T0, ahead, finds_mark, invalid, valid

#: While all is in the windows of the tables.
THEN = ("--until", render(T0 + 20 * DAY))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stream as files, one for each topic."""
    made: Path = tmp_path_factory.mktemp("in")
    for topic in INPUTS:
        values = [one.value for one in (*invalid(), *valid(), *ahead()) if one.topic == topic and one.value is not None]
        (made / f"{topic}.jsonl").write_bytes(b"\n".join(values))
    return made


def told(*arguments: str) -> str:
    """What a command says; it must end with status 0."""
    done = CliRunner().invoke(parcelwatch, arguments)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_replay_writes_no_mark(folder: Path, tmp_path: Path) -> None:
    assert not finds_mark(told("replay", str(folder), "--out", str(tmp_path), *THEN))
    files = [file for file in tmp_path.iterdir() if file.stat().st_size]
    assert {"alerts.merchant.jsonl", "dead-letters.jsonl", "refund-reasons.jsonl"} <= {file.name for file in files}
    assert not any(finds_mark(file.read_bytes()) for file in files)


def test_neither_does_one_in_parquet(folder: Path, tmp_path: Path) -> None:
    told("replay", str(folder), "--out", str(tmp_path), "--format", "parquet")
    files = list(tmp_path.glob("*.parquet"))
    assert files
    assert not any(finds_mark(repr(pyarrow.parquet.read_table(file).to_pylist())) for file in files)


@pytest.mark.parametrize("form", [("--lang", "zh-CN"), ("--lang", "en"), ("--json",)], ids=["zh-CN", "en", "json"])
@pytest.mark.parametrize("subject", ["A", "PA", "t", "vA", "x", "shop"])
def test_an_explanation_shows_no_mark(subject: str, form: tuple[str, ...], folder: Path) -> None:
    assert not finds_mark(told("explain", subject, str(folder), *form, *THEN))


def test_neither_does_a_comparison(folder: Path, tmp_path: Path) -> None:
    page, found = tmp_path / "page.html", tmp_path / "found.json"
    options = ("--policy", "default", "--policy", "tmall-2026", "--html", str(page), "--json", str(found), *THEN)
    assert not finds_mark(told("compare", str(folder), *options))
    assert not finds_mark(page.read_bytes())
    assert not finds_mark(found.read_bytes())
