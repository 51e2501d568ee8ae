"""The store on disk in Rust: of each task a folder of row files, which are only ever written at their end.

What finds a row is in memory, some twenty bytes a row; the rows themselves are in the files. The file forms, and what
becomes of them in a crash, are `native/src/segments.rs`'s.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock, RLock
from types import ModuleType
from typing import Any, BinaryIO

import structlog

from streams.engine.errors import FatalError
from streams.engine.store import marks
from streams.engine.store.folders import copy_is_broken, is_broken, machine_fails, make_private, mend
from streams.engine.store.interface import CommittedTable, Copy, Origin, Row
from streams.engine.store.marks import Mark
from streams.engine.store.memory import NoCopy
from streams.engine.topology import TaskId

log = structlog.get_logger(__name__)

#: What follows a task's name in that of its folder: those of other stores are left alone.
_SUFFIX = ".rows"
#: The form of what is marked; the files have a form of their own.
_VERSION = 1
#: How often, and after how many seconds each, a folder is tried that another process looks into.
_TRIES, _PAUSE = 50, 0.1


class FileCopy:
    """A copy in one folder, which is locked; see `streams.engine.store.interface.Copy`.

    An operation in one thread completes before another thread closes the copy: the awaiting coroutine may be cancelled,
    but the thread goes on. After `close` nothing more is done.

    `file`: the open files; `closed` is given what closing them returns.
    """

    def __init__(
        self, path: Path, lock: BinaryIO, file: Any, now: Callable[[], float], closed: Callable[[Any], None]
    ) -> None:
        self._path = path
        self._lock = lock
        self._file = file
        self._now = now
        self._left = closed
        self._mark: Mark | None = None
        self._using = RLock()
        self._closed = False

    def table(self, prefix: bytes) -> CommittedTable:
        table: CommittedTable = self._file.table(prefix)
        return table

    def resume(self, origin: Origin, begin: int, end: int) -> int:
        with self._using:
            fit = marks.fit(self._file.mark(), _VERSION, self._now(), origin, begin, end)
            if isinstance(fit, Mark):
                self._mark = fit
                return fit.end
            if fit:
                log.warning("local state is thrown away", path=str(self._path), why=fit)
            self.discard()
            return begin

    def load(self, origin: Origin, begin: int, end: int, besides: bytes | None) -> tuple[int, dict[bytes, bytes]]:
        with self._using:
            start = self.resume(origin, begin, end)
            if self._mark is None:
                return start, {}
            return start, dict(self._file.rows(besides or b"", besides is None))

    def add(self, rows: Sequence[Row]) -> None:
        with self._using:
            if not self._closed:
                # Of a list no key may come twice.
                self._file.add([*dict(rows).items()] if isinstance(rows, list) else rows)

    def hold(self, origin: Origin, end: int) -> None:
        with self._using:
            if not self._closed:
                self._write([], Mark(_VERSION, origin, end, self._now()))

    def write(self, rows: Mapping[bytes, bytes | None], end: int) -> None:
        with self._using:
            if not self._closed and self._mark is not None:
                self._write([*rows.items()], self._mark._replace(end=end, written_at=self._now()))

    def _write(self, rows: list[Row], mark: Mark) -> None:
        self._file.write(rows, marks.encode(mark))
        self._mark = mark

    def end(self) -> int | None:
        if self._mark is None and not self._closed:
            self._mark = marks.decoded(self._file.mark())
        return None if self._mark is None else self._mark.end

    def discard(self) -> None:
        with self._using:
            self._mark = None
            if not self._closed:
                self._file.clear()

    def close(self) -> None:
        with self._using:
            if not self._closed:
                self._closed = True
                self._left(self._file.close())
                self._lock.close()


class FileStore:
    """Copies under one folder: in each task's own, `parcelwatch_native.RowFile`.

    `native` is that module; `now` gives seconds since the epoch; `sizes`: bytes that a file has at least, and dead ones
    that do not matter, where they are not as usual.

    Raises `FatalError` if the folder cannot be created.
    """

    keeps = True

    def __init__(
        self, folder: Path, native: ModuleType, now: Callable[[], float] = time.time, sizes: Sequence[int] = ()
    ) -> None:
        self._folder = folder
        self._files = native.RowFile
        self._now = now
        self._sizes = sizes
        #: By task what closing its files has left: while a table is kept, they need not be read to open them again.
        self._left: dict[TaskId, Any] = {}
        self._opening: dict[TaskId, Lock] = {}
        make_private(folder)

    def known(self) -> dict[TaskId, int]:
        found = {}
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            kind, _, partition = path.name.removesuffix(_SUFFIX).rpartition("-")
            if not kind or not partition.isdecimal() or is_broken(path):
                continue
            # An unreadable folder is dealt with when it is opened for its task.
            with suppress(OSError, ValueError):
                lock = _locked(path)
                try:
                    mark = marks.decoded(self._files.last_mark(path))
                finally:
                    lock.close()
                if mark is not None and mark.is_fresh(self._now()):
                    found[TaskId(kind, int(partition))] = mark.end
        return found

    def open(self, task: TaskId) -> Copy:
        # Opening reads everything. Whoever gave up waiting for it gets the next turn once it is done, and not no copy.
        with self._opening.setdefault(task, Lock()):
            return self._open(task)

    def _open(self, task: TaskId) -> Copy:
        path = self._folder / f"{task}{_SUFFIX}"
        try:
            path.mkdir(exist_ok=True)
            lock = _patiently_locked(path)
        except BlockingIOError:
            log.warning("local state is in use by another process", path=str(path))
            return NoCopy()
        except OSError as error:
            raise machine_fails(path, error.strerror) from error
        try:
            file = self._opened(path, self._left.pop(task, None))
        except BaseException:
            lock.close()
            raise
        return FileCopy(path, lock, file, self._now, partial(self._left.__setitem__, task))

    def _opened(self, path: Path, left: Any) -> Any:
        """The files of a folder that is locked. What is broken in it is discarded."""
        unusable = partial(_unusable, path)
        try:
            try:
                if is_broken(path):
                    raise ValueError("it was found so before")
                return self._files(path, unusable, left, *self._sizes)
            except ValueError as error:
                log.warning("local state is broken and thrown away", path=str(path), error=str(error))
            self._files.destroy(path)
            mend(path)
            return self._files(path, unusable, None, *self._sizes)
        except OSError as error:
            raise machine_fails(path, error) from error

    def follow(self, task: TaskId) -> Copy:
        return self.open(task)

    def forget(self, task: TaskId) -> None:
        """It stays on disk: the task may come back."""


def _unusable(path: Path, error: OSError | ValueError) -> FatalError:
    """What is raised for an error of the files in Rust."""
    return (machine_fails if isinstance(error, OSError) else copy_is_broken)(path, error)


def _locked(path: Path) -> BinaryIO:
    """The file that locks a folder as long as it is open. Raises `BlockingIOError` if another one does."""
    lock = (path / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def _patiently_locked(path: Path) -> BinaryIO:
    """Tries again for some seconds: another worker that starts looks into all folders, one by one."""
    for _ in range(_TRIES):
        try:
            return _locked(path)
        except BlockingIOError:
            time.sleep(_PAUSE)
    return _locked(path)
