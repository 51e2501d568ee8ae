"""A process whose use of the machine is measured from its first instruction to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Spent(NamedTuple):
    """Seconds of all its threads and children, seconds on the wall, most memory in bytes; as the kernel counts them."""

    cpu: float
    wall: float
    memory: int
    status: int


class Child:
    """Starts `command`, what it says goes to the file `said`; to be used in a `with`, which leaves nothing running."""

    def __init__(self, command: Sequence[str], said: Path, environment: Mapping[str, str] | None = None) -> None:
        self._said = said
        with said.open("wb") as out:
            self._began = time.monotonic()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, start_new_session=True
            )
        self._spent: Spent | None = None

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.ended() is None:
            os.kill(self._process.pid, signal.SIGKILL)
            self.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> Spent | None:
        """What it has spent, once it has ended."""
        if self._spent is None:
            self._take(os.WNOHANG)
        return self._spent

    def stop(self, patience: float = 40.0) -> Spent:
        """An orderly end, and a hard one where that takes too long."""
        if (spent := self.ended()) is not None:
            return spent
        os.kill(self._process.pid, signal.SIGTERM)
        limit = time.monotonic() + patience
        while time.monotonic() < limit:
            if (spent := self.ended()) is not None:
                return spent
            time.sleep(0.02)
        return self.kill()

    def kill(self) -> Spent:
        """A hard end, at once."""
        os.kill(self._process.pid, signal.SIGKILL)
        return self.wait()

    def wait(self) -> Spent:
        while self._spent is None:
            self._take(0)
        return self._spent

    def said(self) -> str:
        """The end of what it said."""
        return self._said.read_text(errors="replace")[-3000:]

    def _take(self, options: int) -> None:
        pid, status, usage = os.wait4(self._process.pid, options)
        if pid:
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._spent = Spent(
                usage.ru_utime + usage.ru_stime,
                time.monotonic() - self._began,
                usage.ru_maxrss * 1024,
                self._process.returncode,
            )
