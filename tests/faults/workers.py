"""The workers of a run, as processes that somebody looks after."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from tests.faults.plan import Member


class Worker:
    """One worker, which is started again whenever it ends, as long as it is `wanted`.

    `ended` is told of each end that nobody has asked for: the exit status and the last line.
    """

    def __init__(
        self, number: int, member: Member, folder: Path, arguments: Collection[str], ended: Callable[[int, str], None]
    ) -> None:
        self.number = number
        self.member = member
        self.starts = 0
        self.wanted = False
        self.state = folder / f"state-{number}"
        self._point = folder / f"worker-{number}.point"
        self._log = folder / f"worker-{number}.log"
        self._arguments = [*arguments]
        if member.disk:
            self._arguments += ["--store", "rocksdict", "--state-dir", str(self.state)]
        if member.static:
            self._arguments += ["--instance-id", f"worker-{number}"]
        self._ended = ended
        self._process: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None
        self._heard = False
        #: The life that ends by the point that it was armed with last.
        self._dies: int | None = None
        #: Seconds that each batch of a restore takes more.
        self.slow = 0.0

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Starts it, unless it runs; from now on it is kept running."""
        self.wanted = True
        if self._life is None:
            await self._spawn(self._arguments)
            self._life = asyncio.create_task(self._keep())

    async def _spawn(self, arguments: Collection[str]) -> None:
        self.starts += 1
        self._heard = False
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.child", str(self._point), str(self.slow), *arguments,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            # Compiled code that is cut by a full disk would fail every later process.
            env={name: value for name, value in os.environ.items() if not name.startswith("PARCELWATCH_")}
            | {"PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip

    async def _keep(self) -> None:
        while True:
            line = await self._hear()
            assert self._process is not None
            assert self._process.returncode is not None
            if not self.wanted:
                return
            self._ended(self._process.returncode, line)
            await asyncio.sleep(0.2)
            if not self.wanted:
                return
            await self._spawn(self._arguments)

    async def _hear(self) -> str:
        """Writes down what it says to its end; its last word."""
        assert self._process is not None
        assert self._process.stderr is not None
        last = ""
        with self._log.open("a") as log:
            log.write(f"-- start {self.starts}\n")
            async for line in self._process.stderr:
                self._heard = True
                text = line.decode(errors="replace").strip()
                last = text if text.startswith("parcelwatch: ") or not last.startswith("parcelwatch: ") else last
                log.write(text + "\n")
                log.flush()
            log.write(f"-- ends with {await self._process.wait()}\n")
        self._heard = False
        return last

    async def kill(self) -> None:
        """SIGKILL, and it stays down until `start`."""
        await self._down(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and it stays down; the exit status."""
        return await self._down(signal.SIGTERM)

    async def _down(self, number: int) -> int:
        self.wanted = False
        self.send(number)
        self.send(signal.SIGCONT)
        life, self._life = self._life, None
        if life is not None:
            try:
                async with asyncio.timeout(60):
                    await life
            except TimeoutError:
                self.send(signal.SIGKILL)
                await asyncio.wait([life])
                return 1
        self.disarm()
        return self._process.returncode or 0 if self._process is not None else 0

    async def listens(self, seconds: float = 20.0) -> bool:
        """Waits until it has begun, and takes SIGTERM for a word; False where that takes longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._catches(signal.SIGTERM):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        return self._catches(signal.SIGTERM)

    def _catches(self, number: int) -> bool:
        """Whether a signal does not end it as it would any process."""
        if not self._heard or self._process is None:
            return False
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return False
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) >> (number - 1) & 1)

    def send(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    # -- points

    def arm(self, point: str, number: int) -> None:
        """When it passes the point next, it gets the signal."""
        self._dies = self.starts if number == signal.SIGKILL else None
        fresh = self._point.with_suffix(".fresh")
        fresh.write_text(f"{point} {number}")
        fresh.replace(self._point)

    def disarm(self) -> None:
        self._point.unlink(missing_ok=True)

    async def hit(self, seconds: float) -> bool:
        """Waits until the point that it was armed with has done its work; False where that takes longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._point.exists() or (self.alive and self.starts == self._dies):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            return True
        self.disarm()
        return False

    # -- the disk

    def fill_disk(self, size: int) -> None:
        """No file may grow beyond `size` bytes; -1: that is over."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (hard if size < 0 else size, hard))

    def wipe(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)

    # -- the end

    async def to_the_end(self, until: str) -> int:
        """Runs it, once, to the end of all time; the exit status."""
        self.slow = 0.0
        arguments = [*self._arguments, "--once"]
        arguments[arguments.index("--clock") + 1] = until
        await self._spawn(arguments)
        self._life = asyncio.create_task(self._hear_out())
        await asyncio.shield(self._life)
        self._life = None
        assert self._process is not None
        return self._process.returncode or 0

    async def _hear_out(self) -> None:
        await self._hear()

    async def remove(self) -> None:
        """Nothing is left of it."""
        if self._life is not None or self.alive:
            await self._down(signal.SIGKILL)
