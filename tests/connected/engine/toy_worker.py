"""A worker of the toy dataflow as a process.

`python -m tests.connected.engine.toy_worker BOOTSTRAP CLOCK [--session SECONDS] [--patience SECONDS] [--slow SECONDS]`

CLOCK is `end`, to end when all is done, or `stream`, to go on until it is stopped. `--slow`: what each record of an
envelope takes, in which nothing else runs; it says so on standard error.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from streams.engine.clock import Clock
from streams.engine.processor import Processor
from streams.engine.runner import Factory
from streams.engine.runtime import Cadence
from streams.worker import WorkerSettings, run_worker
from tests.unit.engine.history import UNTIL
from tests.unit.engine.toy import DATAFLOW, processor


def assemble(slow: float, counts: Mapping[str, int]) -> Factory:
    def factory(kind: str, partition: int) -> Processor:
        made: Any = processor(kind, partition, counts)
        take = made.envelope

        def envelope(edge: str, source: int, records: Sequence[Any]) -> None:
            print("slow: an envelope", file=sys.stderr, flush=True)
            time.sleep(slow * len(records))
            take(edge, source, records)

        if slow:
            made.envelope = envelope
        return made  # type: ignore[no-any-return]

    return factory


def main() -> int:
    parser = ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("clock", choices=["end", "stream"])
    parser.add_argument("--session", type=float, default=3.0)
    parser.add_argument("--patience", type=float, default=10.0)
    parser.add_argument("--slow", type=float, default=0.0)
    given = parser.parse_args()
    settings = WorkerSettings(
        app_id="toy",
        bootstrap=given.bootstrap,
        clock=Clock.end(UNTIL) if given.clock == "end" else Clock.stream(),
        once=given.clock == "end",
        cadence=Cadence(seconds=0.1),
        fetch_records=20,
        session_timeout=given.session,
        transaction_timeout=4.0,
        start_patience=given.patience,
    )
    return run_worker(settings, DATAFLOW, partial(assemble, given.slow))


if __name__ == "__main__":
    sys.exit(main())
