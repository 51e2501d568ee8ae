"""The present, by a clock that can be trusted.

The machine's clock may be set at any moment, and by days. So the present is the machine's clock at the start plus the
monotonic clock since, and is compared with the log's own time of every write: if the two differ by minutes the earlier
one counts, because a clock that is ahead raises false alerts and one that is behind only late ones. If all clocks of
this process jump, the monotonic one too, the log refuses the commits that depend on them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from streams.engine.clock import Now, system_now
from streams.engine.errors import ClockError, FatalError

log = structlog.get_logger(__name__)

#: How far two clocks may differ, in microseconds.
LIMIT = 120_000_000
#: Microseconds between two log lines about it.
_TELL = 60_000_000


def monotonic_now() -> int:
    """The monotonic clock, in microseconds since an arbitrary point."""
    return time.monotonic_ns() // 1000


def check_wall(wall: int, appended: int) -> None:
    """Raises `ClockError` if `wall`, up to which was settled, is minutes ahead of the log's append time `appended`."""
    if wall > appended + LIMIT:
        raise ClockError(
            f"the clock of this process is {(wall - appended) / 1e6:.0f} s ahead of the brokers': nothing that follows "
            "from it is committed"
        )


class WallClock:
    """`now` is the present in microseconds since the epoch. `differs` is called with this machine's lead, in seconds.

    It raises `FatalError` (3) if the monotonic clock has gone back: no wait in this process ends when it should.
    """

    def __init__(
        self, differs: Callable[[float], None], system: Now = system_now, monotonic: Now = monotonic_now
    ) -> None:
        self._differs = differs
        self._monotonic = monotonic
        self._begin = self._last = monotonic()
        self._start = system()
        #: The log's time heard last, and the monotonic clock then.
        self._heard: tuple[int, int] | None = None
        self._told: int | None = None

    def now(self) -> int:
        monotonic = self._monotonic()
        if monotonic < self._last - LIMIT:
            raise FatalError(
                f"the monotonic clock of this process went back by {(self._last - monotonic) / 1e6:.0f} s: it has to "
                "be started again",
                3,
            )
        self._last = max(self._last, monotonic)
        own = self._start + monotonic - self._begin
        if self._heard is None:
            return own
        appended, then = self._heard
        by_log = appended + monotonic - then
        return by_log if own > by_log + LIMIT else own

    def heard(self, appended: int) -> None:
        """Takes the log's own time, in microseconds, of a write that just completed."""
        monotonic = self._monotonic()
        self._heard = appended, monotonic
        ahead = self._start + monotonic - self._begin - appended
        self._differs(ahead / 1e6)
        if abs(ahead) <= LIMIT:
            self._told = None
        elif self._told is None or not 0 <= monotonic - self._told < _TELL:
            self._told = monotonic
            log.warning(
                "the clocks of this machine and of the brokers differ, the earlier one holds",
                ahead_seconds=round(ahead / 1e6),
            )


class SteadyLoop(asyncio.SelectorEventLoop):
    """An event loop whose time never goes back, so that its waits end though the monotonic clock does."""

    _last = 0.0
    _skipped = 0.0

    def time(self) -> float:
        now = super().time() + self._skipped
        if now < self._last:
            self._skipped += self._last - now
            now = self._last
        self._last = now
        return now
