"""A worker that runs for months: Faust keeps nothing of the batches that it has handed over."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from streams.worker import app, service
from tests.patience import PATIENCE
from tests.unit.engine.embedding import append_all, embedded
from tests.unit.engine.history import arrival, history


async def test_nothing_of_a_batch_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Any] = []
    batches: list[Any] = []

    def build(topology: Any, engine: Any) -> Any:
        class Counting:
            def __getattr__(self, name: str) -> Any:
                return getattr(engine, name)

            async def accept(self, batch: Any) -> None:
                batches.append(None)
                await engine.accept(batch)

        built.append(app.build(topology, Counting()))  # type: ignore[arg-type]
        return built[0]

    monkeypatch.setattr(service, "build", build)
    random = Random(4)
    worker = embedded({"desk": 1, "road": 1}, once=True, fetch_records=5)
    append_all(worker, arrival(random, history(random, size=300)))
    async with worker, asyncio.timeout(PATIENCE):
        assert await worker.finished() == 0
    consumer = built[0].consumer
    assert len(batches) > 50
    assert not any(consumer._acked.values())
    assert not any(consumer._acked_index.values())
    assert not consumer._unacked_messages
