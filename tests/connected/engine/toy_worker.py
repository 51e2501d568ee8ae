"""A worker of the toy dataflow as a process.

`python -m tests.connected.engine.toy_worker BOOTSTRAP [RECORDS [SESSION]]`
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from streams.engine.clock import Clock
from streams.engine.processor import Processor
from streams.engine.runner import Cadence, Factory
from streams.worker import WorkerSettings, run_worker
from tests.unit.engine.history import UNTIL
from tests.unit.engine.toy import DATAFLOW, processor


def assemble(counts: Mapping[str, int]) -> Factory:
    def factory(kind: str, partition: int) -> Processor:
        return processor(kind, partition, counts)

    return factory


def main(bootstrap: str, fetch_records: int = 20, session: int = 6) -> int:
    settings = WorkerSettings(
        app_id="toy",
        bootstrap=bootstrap,
        clock=Clock.end(UNTIL),
        once=True,
        cadence=Cadence(seconds=0.1),
        fetch_records=fetch_records,
        session_timeout=session,
    )
    return run_worker(settings, DATAFLOW, assemble)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
