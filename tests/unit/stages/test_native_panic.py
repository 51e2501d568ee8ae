"""A panic is an error of the task: the state is restored, and Python goes on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import parcelwatch_native
import pytest

from streams.engine.errors import LogError
from streams.engine.processor import PartitionClock
from streams.policy import load
from streams.stages.shipments import native_scans
from streams.stages.shipments.book import ShipmentBook


class Panicking:
    def __init__(self, *_: Any) -> None: ...

    def take(self, *_: Any) -> None:
        parcelwatch_native.panic()


def test_a_panic_is_retryable_and_ends_the_native_path(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native_scans, "_failed", False)
    book = ShipmentBook(load.default())
    module: Any = SimpleNamespace(**{**vars(parcelwatch_native), "Scans": Panicking})
    scans = native_scans.usable(module, book)
    assert scans is not None
    with pytest.raises(LogError, match="has panicked, and is not used any more: asked for"):
        scans.take([], 0, PartitionClock(0), lambda _: True)
    assert native_scans.usable(module, book) is None
    assert "asked for" in capfd.readouterr().err
