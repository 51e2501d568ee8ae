"""Events as they come from Kafka, and lines of them as a replay reads them: Python, and native where it is built."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from schemas.decode import MAX_BYTES, Invalid, Reason, decode
from schemas.events import CHATS, ORDERS, SCANS, AnyEvent, Scan, record_key
from schemas.times import parse
from streams.engine.partitioner import partition_for
from streams.engine.processor import PartitionClock, Record
from streams.policy import load
from streams.replay.batches import batches
from streams.replay.reading import MissingInput, chunks, read
from streams.replay.run import Replay
from streams.replay.runs import runs
from streams.rules.shipments.scan_status import RANK
from streams.stages.intake import LARGEST_LETTER, OWN_HEADERS, Counts, Intake
from tests.fuzz.letters import is_exact, told
from tests.fuzz.pieces import choice, headers_in, parts

try:
    import parcelwatch_native as native
except ImportError:  # without cargo
    native = None

#: The record's own timestamp, in microseconds.
NOW = parse("2026-11-04T00:00:00Z")
_TOPICS = (ORDERS, SCANS, CHATS)
#: Kafka's own limit of a record, with room for its frame.
_LARGEST_RECORD = 1_048_576


def value_of(topic: str) -> Callable[[bytes], None]:
    """A record's value: an event that is the same once it is written again, or an exact dead letter."""

    def door(data: bytes) -> None:
        try:
            event, time = decode(topic, data, NOW)
        except Invalid as invalid:
            told(invalid)
            # How far ahead a time may be is asked apart from what a value is.
            known = invalid.reason is Reason.FROM_THE_FUTURE or topic != SCANS or native is None
            assert known or native.scan_of(data) is None, "taken natively alone"
            return
        assert 1 <= len(record_key(event)) <= 128
        again = json.dumps(msgspec.to_builtins(event), ensure_ascii=False).encode()
        # What is absent is written as null, which may be longer.
        assert len(again) > MAX_BYTES or decode(topic, again, NOW) == (event, time)
        if topic == SCANS and native is not None:
            found = native.scan_of(data)
            assert found is None or found == _as_native(event, time), "native and Python differ"

    return door


def _as_native(event: AnyEvent, time: int) -> tuple[Any, ...]:
    assert isinstance(event, Scan)
    region = event.region if event.status == "delivered" else None
    return event.event_id, event.tracking_no, event.carrier, RANK[event.status], event.facility, time, region


def record(data: bytes) -> None:
    """A record with key, headers and value, as the worker's intake checks it: an event or one letter that fits."""
    which, rest = choice(data, 3)
    value, key, headers = parts(rest, 3)
    topic = _TOPICS[which]
    intake = Intake(partition_for, 3, lambda: NOW, Counts(), with_payload=True)
    one = Record(0, NOW // 1000, key, value, headers_in(headers))
    taken = list(intake.events(topic, 1, [one], PartitionClock(0), lambda _event, _key: False))
    letters = intake.letters()
    assert len(taken) + len(letters) == 1
    for letter in letters:
        own = letter.headers[-6:]
        assert {name for name, _ in own} == OWN_HEADERS
        said = {name: text.decode() for name, text in own}
        assert is_exact(said["error-code"], said["error-detail"]), said
        assert not any(name.lower() in OWN_HEADERS for name, _ in letter.headers[:-6])
        size = len(letter.key or b"") + len(letter.value or b"") + sum(len(n) + len(t) for n, t in letter.headers)
        assert size < LARGEST_LETTER + 1_000 < _LARGEST_RECORD


def lines(folder: Path) -> Callable[[bytes], None]:
    """A replay's file: the same results natively and by Python, whatever its lines hold."""
    path = folder / "in.jsonl"

    def door(data: bytes) -> None:
        path.write_bytes(data)
        for line in read(path):
            assert line.reason is None or is_exact(line.reason, line.detail), line
        by_python = _replayed(path, folder / "python", by_native=False)
        assert all(is_exact(row["error_code"], row["error_detail"]) for row in by_python[1]), by_python[1]
        if native is not None:
            assert by_python == _replayed(path, folder / "native", by_native=True), "native and Python differ"

    return door


def _replayed(path: Path, out: Path, *, by_native: bool) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    replay = Replay(load.default(), None, NOW)
    summary = replay.take_runs(runs(path, native), native) if by_native else replay.take(batches(path, NOW))
    replay.write(out, summary)
    return {file.name: file.read_bytes() for file in out.iterdir()}, [dead.row() for dead in replay.dead]


def packed(folder: Path) -> Callable[[bytes], None]:
    """A packed file: lines, never longer than what is held of one, or one clear line that says why not."""
    paths = [folder / f"in.jsonl{suffix}" for suffix in (".gz", ".zst")]

    def door(data: bytes) -> None:
        which, content = choice(data, 2)
        paths[which].write_bytes(content)
        try:
            for _, some in chunks(paths[which], None):
                assert sum(map(len, some)) < 1 << 20
        except MissingInput as missing:
            assert str(missing).isprintable()

    return door
