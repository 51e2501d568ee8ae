"""Whatever store keeps a copy of the rows, and whatever becomes of it: a task is restored as the changelog says."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rocksdict import Cache, Rdict

from streams.engine.errors import FatalError
from streams.engine.store import rocks as rocks_store
from streams.engine.store.interface import Origin
from streams.engine.store.memory import MemoryStore
from streams.engine.store.rocks import RocksCopy, RocksStore
from tests.unit.engine.disk_stores import KINDS, destroy, folder_of, made
from tests.unit.engine.road_stage import CHANGELOG, ROAD, Stage

HALF_A_DAY = 12 * 3600
ORIGIN = Origin("cluster", "changelog", 0, b"birth")


@pytest.fixture(params=["memory", *KINDS])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    if request.param == "memory":
        return Stage(MemoryStore)
    return Stage(lambda: made(request.param, tmp_path / "state"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Of a store on disk."""
    return str(request.param)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def disk(kind: str, state: Path) -> Stage:
    return Stage(lambda: made(kind, state))


@pytest.fixture
def rocks(state: Path) -> Stage:
    return Stage(lambda: RocksStore(state))


async def test_a_task_is_taken_over_again_and_again(stage: Stage) -> None:
    for scans in (3, 5, 0, 4):
        await stage.run(scans)


async def test_a_task_kept_in_memory_goes_on(stage: Stage) -> None:
    kept = await stage.run(3)
    assert kept is not None
    kept = await stage.run(3, kept)
    await stage.run(2)


async def test_a_task_that_another_machine_had_meanwhile_is_restored(stage: Stage, tmp_path: Path) -> None:
    await stage.run(3)
    await stage.run(4, store=MemoryStore())
    await stage.run(2)


async def test_a_task_of_a_log_that_was_made_anew_begins_anew(stage: Stage) -> None:
    await stage.run(9)
    stage.anew()
    await stage.run(2)
    await stage.run(30)
    # Of the same names, and longer than the former one: offsets alone do not tell them apart.
    stage.anew()
    for _ in range(8):
        await stage.run(9, store=MemoryStore())
    await stage.run(1)


async def test_only_what_the_copy_lacks_is_read_of_the_log(disk: Stage) -> None:
    await disk.run(9)
    await disk.run(1)
    assert disk.read == 0
    before = disk.log.end(CHANGELOG)
    await disk.run(3, store=MemoryStore())
    missing = list(disk.log.read(CHANGELOG, before, 1000).records)
    await disk.run(0)
    assert disk.read == len(missing) > 0


async def test_a_copy_that_was_wiped_is_made_again(disk: Stage, state: Path) -> None:
    await disk.run(5)
    shutil.rmtree(state)
    await disk.run(1)
    assert disk.read > 0
    await disk.run(1)
    assert disk.read == 0


async def test_a_copy_that_is_broken_is_made_again(disk: Stage, state: Path, kind: str) -> None:
    await disk.run(5)
    destroy(folder_of(kind, state, "road-0"))
    await disk.run(1)
    assert disk.read > 0
    await disk.run(1)
    assert disk.read == 0


async def test_a_copy_that_holds_more_than_the_log_is_made_again(disk: Stage) -> None:
    await disk.run(5)
    records = disk.log._topics[CHANGELOG.topic][0]
    cut = records.end
    await disk.run(2)
    # The log lost its tail, as a broker does that was elected without having it all.
    records.records = [record for record in records.records if record.offset < cut]
    records.end, disk.scans = cut, 5
    disk.log._offsets.clear()
    await disk.run(0)
    assert disk.read > 0


async def test_a_changelog_that_has_lost_its_first_rows_is_refused_though_a_copy_has_them(disk: Stage) -> None:
    await disk.run(5)
    disk.log.truncate(CHANGELOG, 1)
    with pytest.raises(FatalError, match="toy-road-changelog-0 has lost its rows before offset 1"):
        await disk.run(1)


@pytest.mark.parametrize(("age", "kept"), [(HALF_A_DAY - 1, True), (HALF_A_DAY, True), (HALF_A_DAY + 1, False)])
async def test_a_copy_too_old_to_know_of_deletions_is_made_again(age: int, kept: bool, state: Path, kind: str) -> None:
    time = 1000.0
    stage = Stage(lambda: made(kind, state, lambda: time))
    await stage.run(9)
    await stage.run(1, store=MemoryStore())
    rows = len(stage.log.read(CHANGELOG, 0, 1000).records)
    time += age
    await stage.run(0)
    assert (stage.read < rows) is kept


@pytest.mark.parametrize(("age", "known"), [(HALF_A_DAY - 1, True), (HALF_A_DAY, True), (HALF_A_DAY + 1, False)])
async def test_what_was_left_on_disk_is_known_while_it_is_of_use(age: int, known: bool, state: Path, kind: str) -> None:
    time = 1000.0
    stage = Stage(lambda: made(kind, state, lambda: time))
    assert stage.make().known() == {}
    await stage.run(9)
    no_copy = folder_of(kind, state, "no copy")
    no_copy.mkdir()
    time += age
    assert stage.make().known() == ({ROAD: stage.log.end(CHANGELOG)} if known else {})
    assert not [*no_copy.iterdir()]


async def test_a_copy_of_another_form_is_made_again(rocks: Stage, state: Path) -> None:
    await rocks.run(5)
    with_mark = RocksStore(state).open(ROAD)
    assert isinstance(with_mark, RocksCopy)
    with_mark._database[b"\0"] = b"no mark"
    with_mark.close()
    await rocks.run(1)
    assert rocks.read > 0
    await rocks.run(1)
    assert rocks.read == 0


async def test_a_copy_that_another_process_holds_is_done_without(rocks: Stage, state: Path) -> None:
    await rocks.run(5)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLD, str(state / "road-0"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    await holder.stdout.readline()
    await rocks.run(3)
    assert rocks.read > 0
    holder.stdin.close()
    await holder.wait()
    # What it holds is true still, up to where it holds.
    await rocks.run(1)
    assert rocks.read > 0


HOLD = """
import sys
from rocksdict import Options, Rdict
database = Rdict(sys.argv[1], Options(raw_mode=True))
print("held", flush=True)
sys.stdin.read()
database.close()
"""


async def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FatalError, match="cannot be made: Not a directory"):
        made(kind, tmp_path / "file" / "state")


def test_what_a_thread_still_does_with_a_copy_that_is_closed_is_nothing(state: Path, kind: str) -> None:
    copy = made(kind, state).open(ROAD)
    copy.add([(b"k", b"row")])
    copy.hold(ORIGIN, 3)
    copy.close()
    copy.close()
    copy.discard()
    copy.add([(b"other", b"row")])
    copy.write({b"third": b"row"}, 4)
    again = made(kind, state).open(ROAD)
    assert again.load(ORIGIN, 0, 3, None) == (3, {b"k": b"row"})
    again.close()


def test_a_copy_that_another_process_looks_into_for_a_moment_is_made_anew_all_the_same(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a worker does that starts with the same folder: between this one's closing and its opening.
    copy = RocksStore(state).open(ROAD)
    opened, looks = rocks_store._opened, iter([True, True, False])

    def open_(path: Path, cache: Cache) -> Rdict:
        if next(looks):
            raise Exception(f"IO error: While lock file: {path}/LOCK: Resource temporarily unavailable")
        return opened(path, cache)

    monkeypatch.setattr(rocks_store, "_opened", open_)
    monkeypatch.setattr(rocks_store, "_PAUSE", 0.0)
    copy.discard()
    assert copy.end() is None
    copy.close()


def test_a_copy_is_closed_behind_what_a_thread_does_with_it(state: Path, kind: str) -> None:
    copy = made(kind, state).open(ROAD)
    with ThreadPoolExecutor(4) as threads:
        doing = [threads.submit(copy.discard) for _ in range(3)] + [threads.submit(copy.close) for _ in range(3)]
        assert [one.result() for one in doing] == [None] * 6
    made(kind, state).open(ROAD).close()


def test_a_place_that_cannot_be_used_is_told_with_the_reason(tmp_path: Path, kind: str) -> None:
    store = made(kind, tmp_path)
    folder_of(kind, tmp_path, str(ROAD)).write_text("no folder")
    with pytest.raises(FatalError, match=r"road-0(\.rows)? cannot be used: File exists"):
        store.open(ROAD)


@pytest.mark.parametrize("broken", [0, 500_000], ids=["from the first row", "in the midst"])
def test_rows_that_cannot_be_read_are_not_passed_over(tmp_path: Path, broken: int) -> None:
    copy = RocksStore(tmp_path).open(ROAD)
    assert isinstance(copy, RocksCopy)
    copy.add([(b"pa%04d" % number, os.urandom(1000)) for number in range(1000)])
    copy._database.flush()
    assert len(list(copy.under(b"p"))) == 1000
    copy.close()
    (file,) = (tmp_path / str(ROAD)).glob("*.sst")
    whole = bytearray(file.read_bytes())
    whole[broken : broken + 10_000] = bytes(10_000)
    file.write_bytes(whole)
    copy = RocksStore(tmp_path).open(ROAD)
    assert isinstance(copy, RocksCopy)
    with pytest.raises(FatalError, match=r"road-0 is broken, and made anew from Kafka at the next start: Corruption: "):
        list(copy.under(b"p"))
    copy.close()
    again = RocksStore(tmp_path).open(ROAD)
    assert isinstance(again, RocksCopy)
    assert list(again.under(b"p")) == []
    again.close()
    assert [*RocksStore(tmp_path).known()] == []
