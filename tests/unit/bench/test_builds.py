"""Two builds are compared: each runs its own code, on the same events, and the ratio is that of their costs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench import builds
from bench.builds import Build, build_of, row
from bench.install import ROOT, NotReadyError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One without an environment of its own."""
    folder = tmp_path / "checkout"
    for package in ("streams", "schemas"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_both_builds_are_measured_by_turns_on_what_the_first_one_makes(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    builds.main([str(ROOT), str(checkout), "--events", "300", "--rounds", "2", "--stream", "orders and scans"])
    head, _, found = capsys.readouterr().out.splitlines()
    assert head.startswith(f"| stream | events | {ROOT}, CPU µs an event | {checkout}, CPU µs an event | ratio |")
    assert found.startswith("| orders and scans | ")
    assert found.endswith(" | 2 |")


def test_each_build_runs_its_own_code(checkout: Path, tmp_path: Path) -> None:
    (checkout / "streams" / "replay" / "run.py").write_text('raise SystemExit("another build")\n')
    build_of(str(ROOT), tmp_path / "one").run("replay", "--help", said=tmp_path / "said")
    with pytest.raises(NotReadyError, match="another build"):
        build_of(str(checkout), tmp_path / "other").run("replay", "--help", said=tmp_path / "said")


def test_a_stream_holds_the_topics_that_it_is_named_after(tmp_path: Path) -> None:
    made = builds.streams(build_of(str(ROOT), tmp_path / "one"), tmp_path, 700, ["scans", "everything"])
    of_scans, of_all = (path.read_text().splitlines() for path, _ in made.values())
    assert [count for _, count in made.values()] == [len(of_scans), len(of_all)]
    assert of_scans == [line for line in of_all if line.startswith('{"topic":"logistics-scans"')]
    assert {line.split('"')[3] for line in of_all} == {"orders", "logistics-scans", "chats"}


def test_what_is_no_build_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"^nothing: neither the folder of a checkout nor a commit"):
        build_of("nothing", tmp_path / "one")


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    spent = [[1.0, 2.0, 1.0, 1.0, 1.0], [1.1, 2.0, 1.3, 9.0, 1.2]]
    assert row("scans", 1_000_000, spent) == ["scans", 1_000_000, 1.0, 1.3, 1.2, "1.100 to 1.300", 5]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no checkout")
def test_a_commit_is_laid_out_and_runs_in_this_environment(tmp_path: Path) -> None:
    build = build_of("HEAD", tmp_path / "one")
    assert isinstance(build, Build)
    assert (build.folder / "streams" / "__main__.py").exists()
    assert not (build.folder / "tests").exists()
