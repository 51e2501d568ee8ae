"""A child process whose CPU time and memory are measured from start to end."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import machine


class Spent(NamedTuple):
    """Seconds of all its threads and children, seconds on the wall, most memory in bytes; as the kernel counts them."""

    cpu: float
    wall: float
    memory: int
    status: int


def clean() -> dict[str, str]:
    """This process's environment without what the command line of parcelwatch reads of it."""
    return {name: held for name, held in os.environ.items() if not name.startswith("PARCELWATCH_")}


def _end_with_parent() -> None:
    """In the child before it becomes another program: the kernel is to kill it when its parent thread ends."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Child:
    """Starts `command`, what it says goes to the file `said`; to be used in a `with`, which leaves nothing running.

    `began` is when, by the monotonic clock. To be made in the main thread: the child
    ends with the thread that started it.
    """

    def __init__(self, command: Sequence[str], said: Path, environment: Mapping[str, str] | None = None) -> None:
        self._said = said
        said.parent.mkdir(parents=True, exist_ok=True)
        with said.open("wb") as out:
            self.began = time.monotonic()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment if environment is not None else clean(),
                start_new_session=True,
                # It takes no lock between fork and exec, the danger that the rule warns of.
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
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

    @property
    def cpu(self) -> float:
        """CPU-seconds so far, of one that runs."""
        return machine.cpu(self._process.pid)

    def ended(self) -> Spent | None:
        """What it has spent, once it has ended."""
        if self._spent is None:
            self._take(os.WNOHANG)
        return self._spent

    def signal(self, number: signal.Signals) -> None:
        """For a child that runs."""
        os.kill(self._process.pid, number)

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

    async def ending(self) -> Spent:
        """Waits for its end while others get their turn."""
        while (spent := self.ended()) is None:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.02)
        return spent

    def said(self) -> str:
        """The end of what it said."""
        return self.lines()[-3000:]

    def lines(self) -> str:
        """All that it said."""
        return self._said.read_text(errors="replace")

    def _take(self, options: int) -> None:
        pid, status, usage = os.wait4(self._process.pid, options)
        if pid:
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._spent = Spent(
                usage.ru_utime + usage.ru_stime,
                time.monotonic() - self.began,
                usage.ru_maxrss * 1024,
                self._process.returncode,
            )
