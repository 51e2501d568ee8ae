"""While a replay runs, garbage is seldom looked for; afterwards as before."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.main import parcelwatch
from streams.replay.run import Replay


@pytest.fixture(autouse=True)
def as_python_has_it() -> Iterator[None]:
    """A worker that ran in this process has made collections rare."""
    frozen, thresholds = gc.get_freeze_count(), gc.get_threshold()
    gc.unfreeze()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*thresholds)
    if frozen:
        gc.freeze()


@pytest.mark.parametrize("content", [b"not JSON\n", None])
def test_a_replay_leaves_the_collector_as_it_was(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, usual, frozen, seen = tmp_path / "in.jsonl", gc.get_threshold(), gc.get_freeze_count(), []
    if content is not None:
        path.write_bytes(content)
    end = Replay._end

    def ending(self: Replay) -> dict[str, object]:
        seen.append(gc.get_threshold() > usual and gc.get_freeze_count() > frozen)
        return end(self)

    monkeypatch.setattr(Replay, "_end", ending)
    status = CliRunner().invoke(parcelwatch, ["replay", str(path), "--out", str(tmp_path / "out")]).exit_code
    assert (status, seen) == ((0, [True]) if content is not None else (2, []))
    assert (gc.get_threshold(), gc.get_freeze_count()) == (usual, frozen)
