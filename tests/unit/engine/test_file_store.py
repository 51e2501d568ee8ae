"""The store of row files: whatever becomes of its files, a copy is what was marked last, or it is discarded."""

from __future__ import annotations

import asyncio
import fcntl
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.errors import FatalError
from streams.engine.store.interface import Copy, Origin
from streams.engine.store.memory import NoCopy
from streams.engine.topology import TaskId
from streams.worker.settings import WorkerSettings
from tests.patience import PATIENCE

native = pytest.importorskip("parcelwatch_native")

from streams.engine.store.file import FileStore  # noqa: E402
from streams.worker import run  # noqa: E402

ROAD = TaskId("road", 0)
ORIGIN = Origin("cluster", "changelog", 0, b"birth")
#: As small as that: a few rows fill a file, and are cleaned.
SIZES = (2048, 2048)
SOME = settings(max_examples=60, deadline=None, derandomize="CI" in os.environ)

KEYS = st.integers(0, 12).map(lambda number: b"pk%d" % number)
ROWS = st.none() | st.integers(0, 400).flatmap(lambda size: st.binary(min_size=size, max_size=size))
STEPS = st.one_of(
    st.tuples(st.just("write"), st.dictionaries(KEYS, ROWS, max_size=12)),
    st.tuples(st.just("add"), st.dictionaries(KEYS, ROWS, max_size=12)),
    st.tuples(st.just("end"), st.floats(0, 1)),
)


def opened(state: Path) -> Copy:
    return FileStore(state, native, sizes=SIZES).open(ROAD)


def files(state: Path) -> list[Path]:
    """Oldest first."""
    return sorted((state / "road-0.rows").glob("rows-*"))


def after(rows: dict[bytes, bytes], changes: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    return {key: row for key, row in (rows | changes).items() if row is not None}


def filled(state: Path, commits: int) -> dict[bytes, bytes]:
    """Leaves a copy on disk that ends at offset `commits`."""
    copy, rows = opened(state), dict[bytes, bytes]()
    copy.hold(ORIGIN, 0)
    for end in range(1, commits + 1):
        changes: dict[bytes, bytes | None] = {b"pk%d" % (end * 7 % 40 + each): bytes([end]) * 100 for each in range(3)}
        copy.write(changes, end)
        rows = after(rows, changes)
    copy.close()
    return rows


@SOME
@given(steps=st.lists(STEPS, max_size=40))
def test_what_is_cut_off_anywhere_leaves_what_was_marked_before(
    steps: list[tuple[str, dict[bytes, bytes | None] | float]],
) -> None:
    with TemporaryDirectory() as name:
        state = Path(name)
        copy = opened(state)
        copy.hold(ORIGIN, 0)
        #: By offset: the rows then, and what the files were.
        states = {0: dict[bytes, bytes]()}
        end, rows = 0, dict[bytes, bytes]()
        first = files(state)[0]
        for what, how in steps:
            if isinstance(how, dict):
                rows = after(rows, how)
                if what == "add":
                    copy.add([*how.items()])
                    continue
                end += 1
                copy.write(how, end)
                states[end] = rows
                continue
            copy.close()
            *_, last = files(state)
            os.truncate(last, int(last.stat().st_size * how))
            kept = [first] == files(state)[:1]
            copy = opened(state)
            end, rows = copy.load(ORIGIN, 0, 1000, None)
            assert rows == states.get(end, {}), end
            # Where nothing was cleaned there is always an earlier state; else it is discarded.
            assert copy.end() in ({end} if kept and len(files(state)) > 1 else {end, None})
            if copy.end() is None:
                copy.hold(ORIGIN, 0)
                states, first = {0: {}}, files(state)[0]
            states = {offset: kept for offset, kept in states.items() if offset <= end}
        copy.close()
        copy = opened(state)
        assert copy.load(ORIGIN, 0, 1000, None)[1] == states[end]
        copy.close()


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_what_is_destroyed_in_the_midst_is_discarded(place: float, tmp_path: Path) -> None:
    filled(tmp_path, 12)
    first, *_, _ = files(tmp_path)
    whole = bytearray(first.read_bytes())
    whole[int(len(whole) * place)] ^= 1
    first.write_bytes(whole)
    copy = opened(tmp_path)
    assert copy.load(ORIGIN, 0, 100, None) == (0, {})
    copy.hold(ORIGIN, 0)
    copy.write({b"pk": b"row"}, 1)
    copy.close()
    again = opened(tmp_path)
    assert again.load(ORIGIN, 0, 100, None) == (1, {b"pk": b"row"})
    again.close()


@pytest.mark.parametrize("lost", [0, 1, -1])
def test_a_lost_file_is_noticed(lost: int, tmp_path: Path) -> None:
    rows = filled(tmp_path, 12)
    assert len(files(tmp_path)) > 2
    files(tmp_path)[lost].unlink()
    copy = opened(tmp_path)
    end, found = copy.load(ORIGIN, 0, 100, None)
    # Without the last one it is a state from before; without another one it is none.
    assert (end, found) == (0, {}) if lost >= 0 else end < 12
    assert found != rows
    copy.close()


def test_a_row_that_is_destroyed_under_a_live_worker_ends_it_and_the_next_one_begins_anew(tmp_path: Path) -> None:
    copy = opened(tmp_path)
    copy.hold(ORIGIN, 0)
    copy.write({b"pk1": b"x" * 100}, 1)
    table = copy.table(b"pk")
    assert table is not None
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"xx", b"xy"))
    with pytest.raises(
        FatalError, match=r"road-0.rows is broken, and made anew from Kafka at the next start: segment 1"
    ):
        table.get(b"k1")
    copy.close()
    assert FileStore(tmp_path, native).known() == {}
    again = opened(tmp_path)
    assert again.load(ORIGIN, 0, 1, None) == (0, {})
    again.hold(ORIGIN, 0)
    again.close()
    assert FileStore(tmp_path, native).known() == {ROAD: 0}


def test_a_newer_form_is_discarded(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    first, *_ = files(tmp_path)
    first.write_bytes(first.read_bytes().replace(b"pw-rows\n\1", b"pw-rows\n\2"))
    copy = opened(tmp_path)
    assert copy.load(ORIGIN, 0, 100, None) == (0, {})
    copy.close()


def test_a_closed_copy_has_no_rows_to_give(tmp_path: Path) -> None:
    copy = opened(tmp_path)
    table = copy.table(b"pk")
    assert table is not None
    copy.close()
    with pytest.raises(FatalError, match="it is closed"):
        table.get(b"k1")


def test_a_copy_that_another_process_has_is_done_without(tmp_path: Path) -> None:
    rows = filled(tmp_path, 12)
    with (tmp_path / "road-0.rows" / "lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert isinstance(opened(tmp_path), NoCopy)
        assert FileStore(tmp_path, native).known() == {}
    assert FileStore(tmp_path, native).known() == {ROAD: 12}
    copy = opened(tmp_path)
    assert isinstance(opened(tmp_path), NoCopy)
    assert copy.load(ORIGIN, 0, 12, None) == (12, rows)
    copy.close()


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_a_copy_that_nobody_waited_for_does_not_keep_its_folder(tmp_path: Path) -> None:
    rows = filled(tmp_path, 12)
    store = FileStore(tmp_path, native, sizes=SIZES)
    opening = threading.Event()
    make = store._files

    def slowly(*given_: Any) -> Any:
        opening.set()
        time.sleep(0.3)
        return make(*given_)

    store._files = slowly
    first = threading.Thread(target=store.open, args=(ROAD,))
    first.start()
    assert opening.wait(PATIENCE)
    copy = store.open(ROAD)
    assert copy.load(ORIGIN, 0, 12, None) == (12, rows)
    first.join()
    copy.close()


@pytest.fixture
def narrow() -> Iterator[None]:
    """No file may be larger than that, as on a disk with no more room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 10, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_disk_that_is_full_is_told_and_what_was_marked_before_stays(tmp_path: Path, narrow: None) -> None:
    copy = opened(tmp_path)
    copy.hold(ORIGIN, 0)
    copy.write({b"pk1": b"small"}, 1)
    with pytest.raises(FatalError, match=r"road-0.rows cannot be used: File too large"):
        copy.write({b"pk2": bytes(10_000)}, 2)
    assert copy.end() == 1
    # Whoever follows a changelog tries again.
    assert copy.resume(ORIGIN, 0, 5) == 1
    copy.write({b"pk3": b"small"}, 2)
    copy.close()
    again = opened(tmp_path)
    assert again.load(ORIGIN, 0, 5, None) == (2, {b"pk1": b"small", b"pk3": b"small"})
    again.close()


def test_rows_are_read_while_others_are_written_and_cleaned(tmp_path: Path) -> None:
    copy = opened(tmp_path)
    copy.hold(ORIGIN, 0)
    rows = {b"pk%d" % each: bytes([each]) * 50 for each in range(100)}
    copy.write(rows, 1)

    async def read_and_write() -> None:
        table = copy.table(b"pk")
        assert table is not None
        for end in range(2, 200):
            writing = asyncio.create_task(asyncio.to_thread(copy.write, {b"other%d" % (end % 7): bytes(900)}, end))
            while not writing.done():
                for each in range(100):
                    assert table.get(b"k%d" % each) == rows[b"pk%d" % each]
                await asyncio.sleep(0)
            if end % 40 == 0:
                assert dict(table.items()) == {key[1:]: row for key, row in rows.items()}

    asyncio.run(read_and_write())
    assert sum(file.stat().st_size for file in files(tmp_path)) < 60_000
    copy.close()


@pytest.mark.parametrize("another", [False, True])
def test_a_table_that_is_kept_goes_on_whether_another_process_has_written_or_not(another: bool, tmp_path: Path) -> None:
    store = FileStore(tmp_path, native, sizes=SIZES)
    copy = store.open(ROAD)
    copy.hold(ORIGIN, 0)
    copy.write({b"pk1": b"one", b"a": b"other"}, 1)
    table = copy.table(b"pk")
    assert table is not None
    table[b"k3"] = b"not yet"
    copy.close()
    with pytest.raises(FatalError, match="it is closed"):
        table.get(b"k1")
    if another:
        other = opened(tmp_path)
        other.load(ORIGIN, 0, 1, None)
        other.write({b"pk1": b"two"}, 2)
        other.close()
    again = store.open(ROAD)
    assert again.end() == 1 + another
    assert table.move(again)
    assert (table.get(b"k1"), table.get(b"k3")) == (b"two" if another else b"one", b"not yet")
    assert again.load(ORIGIN, 0, 5, b"pk") == (1 + another, {b"a": b"other"})
    again.write({b"pk2": b"more"}, 3)
    assert table.get(b"k2") == b"more"
    again.close()
    del table, copy, again
    last = store.open(ROAD)
    assert last.load(ORIGIN, 0, 5, b"pk") == (3, {b"a": b"other"})
    last.close()


KILLED = """
import itertools, sys
import parcelwatch_native
from pathlib import Path
from streams.engine.store.file import FileStore
from streams.engine.store.interface import Origin
from streams.engine.topology import TaskId
copy = FileStore(Path(sys.argv[1]), parcelwatch_native, sizes=(2048, 2048)).open(TaskId("road", 0))
end, _ = copy.load(Origin("cluster", "changelog", 0, b"birth"), 0, 1 << 40, None)
copy.hold(Origin("cluster", "changelog", 0, b"birth"), end)
for end in itertools.count(end + 1):
    copy.write({b"pk%d" % ((end + each) * 7 % 50): b"%d" % end * (each * 9) for each in range(8)}, end)
    print(end, flush=True)
"""


def test_a_process_killed_at_any_moment_leaves_what_it_has_written(tmp_path: Path) -> None:
    least = 0
    for killed in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for _ in range(20 + 37 * killed):
                told = process.stdout.readline()
            process.kill()
            told = [told, *process.stdout.readlines()][-1]
            process.wait(PATIENCE)
        copy = opened(tmp_path)
        end, found = copy.load(ORIGIN, 0, 1 << 40, None)
        copy.close()
        assert end >= int(told) > least
        least = end
        rows: dict[bytes, bytes] = {}
        for each_end in range(1, end + 1):
            rows |= {b"pk%d" % ((each_end + each) * 7 % 50): b"%d" % each_end * (each * 9) for each in range(8)}
        assert found == rows


def test_a_folder_deleted_while_nobody_runs_is_made_again(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    shutil.rmtree(tmp_path / "road-0.rows")
    copy = opened(tmp_path)
    assert copy.load(ORIGIN, 0, 3, None) == (0, {})
    copy.close()


def test_without_the_package_one_line_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = WorkerSettings(app_id="app", store="file", state_dir=tmp_path)
    assert isinstance(run._store(told), FileStore)
    monkeypatch.setitem(sys.modules, "parcelwatch_native", None)
    with pytest.raises(FatalError, match=r"the store file needs a package: .*: pip install 'parcelwatch\[native\]'"):
        run._store(told)
