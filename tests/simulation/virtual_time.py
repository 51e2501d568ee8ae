"""The clocks of this process, which a simulation sets. Import it before anything that takes a clock by its name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: What a machine's clock says at the beginning of every simulation, in seconds since the epoch.
EPOCH = 1_800_000_000.0
#: The clock outside of any simulation.
real_seconds = time.perf_counter
real_cpu = time.process_time

_real = {name: getattr(time, name) for name in ("monotonic", "monotonic_ns", "time", "time_ns", "perf_counter")}
_virtual: Callable[[], float] | None = None
#: Called by what measures how long its work takes: some work is slow, by the seed.
_measured: Callable[[], float] | None = None


def _monotonic() -> float:
    return _real["monotonic"]() if _virtual is None else _virtual()


def _monotonic_ns() -> int:
    return _real["monotonic_ns"]() if _virtual is None else int(_virtual() * 1e9)


def _time() -> float:
    return _real["time"]() if _virtual is None else EPOCH + _virtual()


def _time_ns() -> int:
    return _real["time_ns"]() if _virtual is None else int((EPOCH + _virtual()) * 1e9)


def _perf_counter() -> float:
    return _real["perf_counter"]() if _measured is None else _measured()


time.monotonic = _monotonic
time.monotonic_ns = _monotonic_ns
time.time = _time
time.time_ns = _time_ns
time.perf_counter = _perf_counter


@contextmanager
def virtual(seconds: Callable[[], float], measured: Callable[[], float]) -> Iterator[None]:
    """All clocks follow `seconds`; `measured` is what work is timed by."""
    global _virtual, _measured  # noqa: PLW0603
    _virtual, _measured = seconds, measured
    try:
        yield
    finally:
        _virtual = _measured = None
