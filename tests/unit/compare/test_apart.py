"""Two processes find what one finds."""

from __future__ import annotations

import gzip
from io import StringIO
from multiprocessing import active_children
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from streams.compare import apart
from streams.compare.judging import judge
from streams.policy import load
from streams.replay.reading import MissingInput

POLICIES = [load.load("default"), load.load("tmall-2026")]


def found(source: Path, until: int | None = None) -> bytes:
    return msgspec.json.encode(judge(apart.run(source, POLICIES, until, Console(file=StringIO()))))


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "LEAST_BYTES", 0)
    monkeypatch.setattr(apart, "_cores", lambda: 2)


@pytest.fixture
def in_one(marketplace: Path) -> bytes:
    assert marketplace.stat().st_size < apart.LEAST_BYTES
    return found(marketplace)


def test_two_processes_find_what_one_finds(in_one: bytes, marketplace: Path, two_processes: None) -> None:
    assert found(marketplace) == in_one
    assert not active_children()


def test_the_end_that_was_asked_for_holds_for_both(marketplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    until = 1_789_000_000_000_000
    one = found(marketplace, until)
    assert msgspec.json.decode(one)["left_out"] > 0
    monkeypatch.setattr(apart, "LEAST_BYTES", 0)
    monkeypatch.setattr(apart, "_cores", lambda: 2)
    assert found(marketplace, until) == one


def test_with_one_core_there_is_one_process(
    in_one: bytes, marketplace: Path, two_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_cores", lambda: 1)
    monkeypatch.setattr(apart, "get_context", None)
    assert found(marketplace) == in_one


def test_an_input_that_breaks_off_is_one_line_and_leaves_no_process(tmp_path: Path, two_processes: None) -> None:
    broken = tmp_path / "events.jsonl.gz"
    broken.write_bytes(gzip.compress(b'{"topic":"orders","value":{}}\n' * 1000)[:-20])
    with pytest.raises(MissingInput, match="cannot be read"):
        found(broken)
    assert not active_children()


def test_a_process_that_is_killed_is_told(
    marketplace: Path, two_processes: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        for child in active_children():
            child.kill()

    monkeypatch.setattr(apart, "nullcontext", _then(killed))
    with pytest.raises(apart.LostProcess, match="ended with -9"):
        found(marketplace)


def _then(done: object) -> object:
    """A context that calls `done` on entering: just before the answer is awaited."""

    class Context:
        def __enter__(self) -> None:
            assert callable(done)
            done()

        def __exit__(self, *_: object) -> None:
            pass

    return Context
