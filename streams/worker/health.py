"""Whether a worker is alive and ready, and if it is not ready, why."""

from __future__ import annotations

import time
from typing import Literal, get_args

import structlog

log = structlog.get_logger(__name__)

#: What may be wrong: it has not joined the group yet; tasks are being restored; no broker answers; the group does not;
#: what there is cannot be fetched, or asked for; a right is missing; brokers and this client do not accept each
#: other; a task does not get on; the event loop does not come round.
Kind = Literal[
    "starting", "tasks", "brokers", "group", "fetching", "looking", "rights", "credentials", "standstill", "loop"
]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Seconds for which the first two are nothing to speak of: every rebalance has them.
_USUAL = 10.0
#: Seconds between two lines about what goes on being wrong.
_AGAIN = 60.0
#: Seconds without a turn of the event loop, behind which the worker is not ready, and not alive.
LATE, HUNG = 5.0, 300.0


class Health:
    """What is wrong with a worker now, by kind. `beat` is called by its event loop; any thread may ask.

    It is logged when something begins to be wrong, once a minute as long as it lasts, and when all is well again.
    """

    def __init__(self) -> None:
        began = time.monotonic()
        self._wrong: dict[Kind, str] = {"starting": "it has not joined the group yet"}
        self._since: dict[Kind, float] = {"starting": began}
        self._said: dict[Kind, float] = {}
        self._beaten = began
        self._given_up = False

    def wrong(self, kind: Kind, why: str) -> None:
        """Reports a problem, new or continuing."""
        now = time.monotonic()
        self._wrong[kind] = why
        since = self._since.setdefault(kind, now)
        if kind in {"starting", "tasks"} and now - since < _USUAL:
            return
        if now - self._said.get(kind, -_AGAIN) >= _AGAIN:
            self._said[kind] = now
            log.warning("not ready", reason=kind, why=why, seconds=round(now - since))

    def well(self, kind: Kind) -> None:
        """Clears the problem of this kind."""
        self._wrong.pop(kind, None)
        self._since.pop(kind, None)
        if self._said.pop(kind, None) is not None and not self._said:
            log.info("ready again")

    def beat(self) -> None:
        """The event loop has turned."""
        self._beaten = time.monotonic()

    def give_up(self) -> None:
        """The worker is about to end: it is alive no longer."""
        self._given_up = True

    @property
    def late(self) -> float:
        """Seconds since the event loop's last turn."""
        return time.monotonic() - self._beaten

    @property
    def reasons(self) -> dict[Kind, str]:
        """What is wrong now."""
        found = dict(self._wrong)
        if (late := self.late) > LATE:
            found["loop"] = f"one step of a task has taken {late:.0f} s so far"
        return found

    @property
    def ready(self) -> bool:
        """Whether the worker has its assignment and makes progress with all of it."""
        return not self.reasons

    @property
    def alive(self) -> bool:
        """Whether there is no need to start the worker again."""
        return not self._given_up and self.late <= HUNG
