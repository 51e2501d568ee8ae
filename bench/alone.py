"""A benchmark that is a command of its own: with a broker and a folder of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench.throughput import WrongError
from tests.kafka_broker import Broker, BrokerError, NoBrokerError, choose


def alone(name: str, run: Callable[[Broker, Path], Coroutine[Any, Any, None]]) -> None:
    """Runs it to its end; what is wrong ends the process with one line."""
    # Of topics that were made just now its client says that they have no leaders yet; that is waited for.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory(prefix=f"parcelwatch-{name}-") as folder:
            broker = choose(Path(folder) / "kafka")
            try:
                asyncio.run(run(broker, Path(folder)))
            finally:
                broker.remove()
    except (NoBrokerError, BrokerError, WrongError) as problem:
        sys.exit(f"bench: {problem}")
