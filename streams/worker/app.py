"""The Faust application of a worker: one agent a topic, each handing its batches to the engine."""

from __future__ import annotations

from typing import Any, Protocol

from streams.engine.topology import Topology
from streams.transport.batches import Batch, BatchApp, BatchSchema, BatchSource


class Engine(BatchSource, Protocol):
    """Where batches come from and go to."""

    async def accept(self, batch: Batch) -> None: ...


def build(topology: Topology, engine: Engine) -> BatchApp:
    """The application, with an agent for every external topic and every edge."""
    app = BatchApp(topology.app_id, engine)
    for topic in topology.topics():
        add_agent(app, topic, engine)
    return app


def add_agent(app: BatchApp, topic: str, engine: Engine) -> None:
    """The agent of one topic."""

    async def agent(stream: Any) -> None:
        async for batch in stream:
            await engine.accept(batch)

    # Without acknowledgements: Faust would keep the offset of every batch until a commit of its own.
    app.agent(app.topic(topic, acks=False, schema=BatchSchema()), name=f"streams.worker.{topic}")(agent)
