"""The store on disk: one RocksDB database for each task, by rocksdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Any

import structlog
from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, WriteBatch

from streams.engine.store import marks
from streams.engine.store.folders import is_broken, make_private, mend
from streams.engine.store.interface import Copy, Origin, Row
from streams.engine.store.marks import Mark
from streams.engine.store.memory import NoCopy
from streams.engine.store.rocks_errors import by_the_machine, in_use, unusable, using
from streams.engine.store.rocks_table import RocksTable
from streams.engine.topology import TaskId

log = structlog.get_logger(__name__)

#: The key of the row that describes the others; no changelog key begins with a zero byte.
_MARK = b"\0"
#: The format of the database.
_VERSION = 1
#: How often, and after how many seconds each, a database is tried that another process looks into.
_TRIES, _PAUSE = 50, 0.1
#: Size of the block cache that all databases of a worker share, in bytes.
_CACHE = 128 << 20


class RocksCopy:
    """A copy in one database; see `streams.engine.store.interface.Copy`.

    An operation in one thread completes before another thread closes the copy: the awaiting coroutine may be cancelled,
    but the thread goes on. After `close` nothing more is done.
    """

    def __init__(self, path: Path, now: Callable[[], float], cache: Cache) -> None:
        self._path = path
        self._now = now
        self._cache = cache
        self._database = _opened(path, cache)
        self._mark: Mark | None = None
        self._using = RLock()
        self._closed = False
        self._estimated = 0

    def table(self, prefix: bytes) -> RocksTable:
        return RocksTable(self, prefix)

    def get(self, key: bytes) -> bytes | None:
        """The committed row of a key."""
        with using(self._path):
            row: bytes | None = self._database.get(key)
        return row

    def under(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The committed rows of a prefix, in key order."""
        with using(self._path):
            for key, row in self._from(prefix):
                if not key.startswith(prefix):
                    return
                yield key, row

    def estimated(self) -> int:
        """The number of all rows, as RocksDB estimates it."""
        # Whoever asks must not wait for a write: the last estimate will do.
        if self._using.acquire(blocking=False):
            try:
                if not self._closed:
                    self._estimated = self._database.property_int_value("rocksdb.estimate-num-keys") or 0
            finally:
                self._using.release()
        return self._estimated

    def _from(self, key: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        # In raw mode keys and values are bytes, which its type hints do not say.
        database: Any = self._database
        last = key
        for last, row in database.items(from_key=key):
            yield last, row
        # If the next row cannot be read, the iteration just ends: only another iterator reports the error.
        rows = database.iter()
        if last is None:
            rows.seek_to_first()
        else:
            rows.seek(last)
        if rows.valid():
            rows.next()
        rows.status()

    def resume(self, origin: Origin, begin: int, end: int) -> int:
        with self._using, using(self._path):
            fit = self._fit(origin, begin, end)
            if isinstance(fit, Mark):
                self._mark = fit
                return fit.end
            if fit:
                log.warning("local state is thrown away", path=str(self._path), why=fit)
            self.discard()
            return begin

    def load(self, origin: Origin, begin: int, end: int, besides: bytes | None) -> tuple[int, dict[bytes, bytes]]:
        with self._using, using(self._path):
            start = self.resume(origin, begin, end)
            if self._mark is None:
                return start, {}
            rows = dict(self._besides(besides))
            rows.pop(_MARK, None)
            return start, rows

    def _besides(self, prefix: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """All rows except those of a prefix, which may be many: the iterator seeks past them."""
        start: bytes | None = None
        while True:
            for key, row in self._from(start):
                if prefix is not None and key.startswith(prefix):
                    # The last byte is a letter: the prefix with the next one sorts after all keys of this prefix.
                    start = prefix[:-1] + bytes([prefix[-1] + 1])
                    break
                yield key, row
            else:
                return

    def _fit(self, origin: Origin, begin: int, end: int) -> Mark | str:
        return marks.fit(self._database.get(_MARK), _VERSION, self._now(), origin, begin, end)

    def add(self, rows: Sequence[Row]) -> None:
        with self._using, using(self._path):
            if not self._closed:
                self._database.write(_batch(rows))

    def hold(self, origin: Origin, end: int) -> None:
        self._mark = Mark(_VERSION, origin, end, self._now())
        with self._using, using(self._path):
            if not self._closed:
                self._database[_MARK] = marks.encode(self._mark)

    def write(self, rows: Mapping[bytes, bytes | None], end: int) -> None:
        if self._mark is None:
            return
        with self._using, using(self._path):
            if self._closed:
                return
            self._mark = self._mark._replace(end=end, written_at=self._now())
            batch = _batch(rows.items())
            batch.put(_MARK, marks.encode(self._mark))
            self._database.write(batch)

    def end(self) -> int | None:
        if self._mark is None:
            self._mark = marks.decoded(self._database.get(_MARK))
        return None if self._mark is None else self._mark.end

    def fresh_end(self) -> int | None:
        """As `end`, but None if it is so old that it will hardly be fit."""
        end = self.end()
        return end if self._mark is not None and self._mark.is_fresh(self._now()) else None

    def discard(self) -> None:
        with self._using, using(self._path):
            self._mark = None
            if not self._closed:
                self._database.close()
                self._database = _patiently(self._anew)

    def _anew(self) -> Rdict:
        Rdict.destroy(str(self._path), _options(self._cache))
        return _opened(self._path, self._cache)

    def close(self) -> None:
        with self._using:
            if not self._closed:
                self._closed = True
                # The failed write has been reported, and its rows are in the log.
                with suppress(Exception):
                    self._database.close()


class RocksStore:
    """Copies under one folder: a database for each task, and one block cache of `cache` bytes for all of them.

    `now` gives seconds since the epoch.

    Raises `FatalError` if the folder cannot be created.
    """

    keeps = True

    def __init__(self, folder: Path, now: Callable[[], float] = time.time, cache: int = _CACHE) -> None:
        self._folder = folder
        self._now = now
        self._cache = Cache(cache)
        make_private(folder)

    def known(self) -> dict[TaskId, int]:
        found = {}
        for path in sorted(self._folder.iterdir()):
            kind, _, partition = path.name.rpartition("-")
            if not kind or not partition.isdecimal():
                continue
            # An unreadable database is dealt with when it is opened for its task.
            with suppress(Exception):
                copy = RocksCopy(path, self._now, self._cache)
                if (end := copy.fresh_end()) is not None:
                    found[TaskId(kind, int(partition))] = end
                copy.close()
        return found

    def open(self, task: TaskId) -> Copy:
        path = self._folder / str(task)
        try:
            if is_broken(path):
                log.warning("local state is broken and thrown away", path=str(path))
                Rdict.destroy(str(path), _options(self._cache))
                mend(path)
            return RocksCopy(path, self._now, self._cache)
        except Exception as error:  # rocksdict has one kind for everything
            if in_use(error):
                log.warning("local state is in use by another process", path=str(path))
                return NoCopy()
            if by_the_machine(error):
                raise unusable(path, error) from error
            log.warning("local state is broken and thrown away", path=str(path), error=str(error))
        try:
            Rdict.destroy(str(path), _options(self._cache))
            return RocksCopy(path, self._now, self._cache)
        except Exception as error:  # as above; the state is whole without a copy
            if by_the_machine(error) and not in_use(error):
                raise unusable(path, error) from error
            log.warning("there is no local state", path=str(path), error=str(error))
            return NoCopy()

    def follow(self, task: TaskId) -> Copy:
        return self.open(task)

    def forget(self, task: TaskId) -> None:
        """It stays on disk: the task may come back."""


def _patiently(make: Callable[[], Rdict]) -> Rdict:
    """Tries again for some seconds: another worker that starts looks into all databases of the folder, one by one."""
    for _ in range(_TRIES):
        try:
            return make()
        except Exception as error:  # rocksdict has one kind for everything
            if not in_use(error):
                raise
        time.sleep(_PAUSE)
    return make()


def _opened(path: Path, cache: Cache) -> Rdict:
    return Rdict(str(path), _options(cache))


def _options(cache: Cache) -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    # RocksDB's own log files, beside the data.
    options.set_keep_log_file_num(2)
    options.set_write_buffer_size(16 << 20)
    blocks = BlockBasedOptions()
    blocks.set_block_cache(cache)
    # The Bloom filter answers look-ups of new keys without a read.
    blocks.set_bloom_filter(10, False)
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_bottommost_compression_type(DBCompressionType.zstd())
    return options


def _batch(rows: Iterable[Row]) -> WriteBatch:
    batch = WriteBatch(raw_mode=True)
    for key, row in rows:
        if row is None:
            batch.delete(key)
        else:
            batch.put(key, row)
    return batch
