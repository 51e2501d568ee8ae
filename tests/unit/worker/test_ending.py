"""A worker ends though Faust's services do not: they hold nothing that has to be kept."""

from __future__ import annotations

import asyncio

import faust
import pytest

from streams.worker import service
from tests.patience import PATIENCE
from tests.unit.engine.embedding import embedded, until


async def test_services_that_do_not_stop_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, ended, left = faust.App.stop, asyncio.Event(), list[faust.App]()

    async def never(app: faust.App) -> None:
        left.append(app)
        while not ended.is_set():
            try:
                await ended.wait()
            except asyncio.CancelledError:
                continue

    monkeypatch.setattr(service, "_STOP", 0.1)
    monkeypatch.setattr(faust.App, "stop", never)
    async with asyncio.timeout(PATIENCE):
        async with embedded({"desk": 1, "road": 1}) as worker:
            await until(lambda: worker.metrics.registry.get_sample_value("parcelwatch_ready") == 1)
        assert not ended.is_set()
        ended.set()
        (app,) = left
        await stop(app)
