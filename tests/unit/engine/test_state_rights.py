"""What a worker keeps on disk is its owner's alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.engine.store.interface import Origin
from streams.engine.store.rocks import RocksStore
from streams.engine.topology import TaskId
from tests.unit.engine.disk_stores import KINDS, folder_of, made


def rights(folder: Path) -> dict[str, int]:
    """Of everything in and under it."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """A process that leaves everybody everything."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.parametrize("kind", KINDS)
def test_the_folder_is_0700_and_its_files_are_0600(kind: str, tmp_path: Path) -> None:
    copy = made(kind, tmp_path / "a/state").open(TaskId("orders", 0))
    copy.hold(Origin("cluster", "changelog", 0, b"birth"), 0)
    copy.close()
    found = rights(tmp_path / "a")
    assert len(found) > 4
    folder = folder_of(kind, tmp_path / "a/state", "orders-0").relative_to(tmp_path / "a")
    assert {found[name] for name in (".", "state", str(folder))} == {0o700}
    assert {mode for name, mode in found.items() if (tmp_path / "a" / name).is_file()} == {0o600}


def test_so_is_what_a_former_version_has_left(tmp_path: Path) -> None:
    (tmp_path / "state/orders-0").mkdir(parents=True)
    (tmp_path / "state/orders-0/CURRENT").write_text("x")
    assert rights(tmp_path / "state")["orders-0/CURRENT"] == 0o666
    RocksStore(tmp_path / "state")
    assert rights(tmp_path / "state") == {".": 0o700, "orders-0": 0o700, "orders-0/CURRENT": 0o600}
