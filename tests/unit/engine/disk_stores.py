"""The stores on disk, by the names that `--store` has for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from streams.engine.store.interface import Store
from streams.engine.store.rocks import RocksStore

#: `file` where the part in Rust is built.
KINDS = [
    "rocksdict",
    pytest.param("file", marks=pytest.mark.skipif(find_spec("parcelwatch_native") is None, reason="no native part")),
]
#: So small that a few rows are cleaned.
SMALL = (4096, 4096)


def made(kind: str, folder: Path, now: Callable[[], float] = time.time) -> Store:
    if kind == "rocksdict":
        return RocksStore(folder, now)
    from streams.engine.store.file import FileStore

    return FileStore(folder, import_module("parcelwatch_native"), now, SMALL)


def folder_of(kind: str, state: Path, task: str) -> Path:
    """Where that store keeps the task."""
    return state / (task if kind == "rocksdict" else f"{task}.rows")


def destroy(folder: Path) -> None:
    """Overwrites what a copy cannot be opened without, in either store."""
    for file in [*folder.glob("MANIFEST-*"), *folder.glob("rows-*")]:
        file.write_bytes(b"nothing that a store has written")
