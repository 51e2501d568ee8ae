"""`parcelwatch` in a process whose clocks jump when it is told to: SIGUSR1 by two days ahead, SIGUSR2 back.

`python -m tests.connected.broker_faults.jumping_worker system|process ARGUMENTS`: the machine's clock alone, or the
monotonic one too, as with a shim around the whole process.
"""

from __future__ import annotations

import signal
import sys
import time
from typing import Any

AHEAD = 2 * 86_400

_ahead = 0


def _jump(number: int, _: Any) -> None:
    global _ahead  # noqa: PLW0603
    _ahead = AHEAD if number == signal.SIGUSR1 else 0


def _shim(*names: str) -> None:
    for name in names:
        real, unit = getattr(time, name), 1_000_000_000 if name.endswith("_ns") else 1

        def shimmed(real: Any = real, unit: int = unit) -> Any:
            return real() + _ahead * unit

        setattr(time, name, shimmed)


if __name__ == "__main__":
    for each in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(each, _jump)
    _shim("time", "time_ns", *(("monotonic", "monotonic_ns") if sys.argv[1] == "process" else ()))
    from streams.cli.main import main

    sys.argv = ["parcelwatch", *sys.argv[2:]]
    sys.exit(main())
