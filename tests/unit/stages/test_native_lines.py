"""A replay's lines, whatever they hold, lead to the same files with the native path and without it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random
from typing import Any

import parcelwatch_native
import pytest

from schemas.events import CHATS, ORDERS, SCANS
from schemas.times import DAY, HOUR, render
from streams.marketplace.market import Plan, market
from streams.policy import load
from streams.replay.batches import batches
from streams.replay.reading import read
from streams.replay.run import Replay
from streams.replay.runs import runs
from streams.stages.cases import book
from tests.unit.stages.native_scraps import mutated

START = 1_772_000_000 * 1_000_000
PREFIX = b'{"topic":"chats","value":'


def replayed(path: Path, folder: Path, *, native: bool, until: int | None = None, now: int | None = None) -> Any:
    """The files of a replay, and the rows of its parcels."""
    replay = Replay(load.default(), until, now)
    if native:
        summary = replay.take_runs(runs(path, parcelwatch_native), parcelwatch_native)
    else:
        summary = replay.take(batches(path, now))
    replay.write(folder, summary)
    return {file.name: file.read_bytes() for file in folder.iterdir()}, replay.two_names


def same(tmp_path: Path, lines: list[bytes], until: int | None = None, now: int | None = None) -> dict[str, Any]:
    """Replays the lines both ways. Returns the summary."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"".join(lines))
    return same_of(tmp_path, path, until, now)


def same_of(tmp_path: Path, path: Path, until: int | None = None, now: int | None = None) -> dict[str, Any]:
    """`same` of an input."""
    native = replayed(path, tmp_path / "n", native=True, until=until, now=now)
    assert native == replayed(path, tmp_path / "p", native=False, until=until, now=now)
    summary: dict[str, Any] = json.loads(native[0]["summary.json"])
    return summary


def line(topic: str, value: bytes) -> bytes:
    return b'{"topic":"%s","value":%s}\n' % (topic.encode(), value)


def event(topic: str, type_: str, at: int, **fields: Any) -> bytes:
    known = {"event_id": f"{type_}-{at}", "type": type_, "occurred_at": render(at), "shop_id": "S", **fields}
    return line(topic, json.dumps(known).encode())


@pytest.mark.parametrize("seed", range(6))
def test_mutated_lines_of_every_topic_come_to_the_same(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    lines = []
    for made in market(Plan(shops=4, orders_per_day=6, days=20, faults=0.02)):
        value = made.encode()
        if random.random() < 0.2:
            value = mutated(value, random)
        whole = line(made.topic, value)
        if random.random() < 0.05:
            whole = mutated(whole, random)
        lines.append(whole)
    # Where the events end and are compared with a time, most of a stream's kinds are met on both sides.
    middle = START + (seed - 3) * DAY
    summary = same(tmp_path, lines, until=middle if seed % 2 else None, now=middle if seed % 3 else None)
    assert summary["dead"]["total"] > 100


@pytest.mark.parametrize(("field", "value"), [
    ("commitment_days", 4_000_001), ("commitment_days", 10**400), ("commitment_days", -1),
    ("items", [{"item_id": "i", "category_id": "c", "quantity": 10**400}]), ("items", []),
    ("buyer_id", "中" * 128), ("buyer_id", "中" * 129), ("unknown", {"a": ["x" * 65_000]}), ("unknown", "x" * 65_536),
    ("unknown", "\ud800"), ("buyer_id", "\ud800"), ("occurred_at", "0001-01-01T00:00:00+01:00"),
    ("occurred_at", "2026-02-25T06:13:20.1234567+08:00"), ("occurred_at", "1969-01-01T00:00:00Z"), ("type", "scan"),
])  # fmt: skip
def test_an_order_with_an_odd_field_comes_to_the_same(field: str, value: Any, tmp_path: Path) -> None:
    fields = {"order_id": "O", "buyer_id": "b", "items": [{"item_id": "i", "category_id": "c", "quantity": 1}]}
    placed = event(ORDERS, "order.placed", START, **fields | {field: value})
    same(tmp_path, [placed, event(ORDERS, "order.paid", START + HOUR, order_id="O", ship_by="2026-02-30T00:00:00Z")])


def test_what_is_one_too_many_for_a_key_is_a_dead_letter_of_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(book, "MOST_OF_A_KEY", 3)
    said = [
        event(CHATS, "chat.message", START + number * HOUR, conversation_id="C", sender="buyer", text="?")
        for number in range(6)
    ]
    assert same(tmp_path, said)["dead"]["by_reason"] == {"key_too_large": 3}


def test_a_carrier_that_an_order_names_otherwise_is_noticed_at_its_next_scan(tmp_path: Path) -> None:
    def scan(number: int, at: int) -> bytes:
        fields = {"carrier": "ZTO", "tracking_no": f"T{number}", "status": "arrived"}
        return event(SCANS, "scan", at, **fields)

    shipped = event(ORDERS, "order.shipped", START + 2 * HOUR, order_id="O", carrier="中通", tracking_no="T2")
    same(tmp_path, [scan(0, START), scan(1, START + HOUR), shipped, scan(2, START + 3 * HOUR), scan(3, START + DAY)])
    path = tmp_path / "in.jsonl"
    assert "two names" in str(replayed(path, tmp_path / "again", native=True)[1])


def test_late_events_are_counted_wherever_they_are_read(tmp_path: Path) -> None:
    lines = [event(ORDERS, "order.paid", START + number * DAY, order_id=f"O{number}") for number in (0, 9, 1, 8, 3, 20)]
    lines.insert(4, event(SCANS, "scan", START + DAY, carrier="SF", tracking_no="T", status="arrived"))
    assert same(tmp_path, lines)["late"] == 4


def folder_of(tmp_path: Path, values: dict[str, bytes], *, packed: bool = False) -> Path:
    """A folder with a file for each topic."""
    folder = tmp_path / "folder"
    folder.mkdir()
    for topic, content in values.items():
        path = folder / f"{topic}.jsonl{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("seed", range(4))
def test_a_folder_is_merged_to_the_same_order(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    values = {ORDERS: b"", SCANS: b"", CHATS: b""}
    for made in market(Plan(shops=4, orders_per_day=6, days=20, faults=0.02)):
        value = made.encode()
        if random.random() < 0.1:
            value = mutated(value, random)
        values[made.topic] += value + random.choice((b"\n", b"\n", b"\n", b"\n", b" \n", b"\r\n", b"\n\n \n"))
    if seed == 3:
        del values[CHATS]
        values[SCANS] = values[SCANS].rstrip()
    folder = folder_of(tmp_path, values, packed=seed == 1)
    summary = same_of(tmp_path, folder, now=START if seed == 2 else None)
    assert summary["dead"]["total"] > 30


@pytest.mark.parametrize("value", [
    b'{"occurred_at":"2026-03-04T18:10:00Z","occurred_at":"2020-03-04T18:10:00Z"}',
    b'{"occurred_\\u0061t":"2020-03-04T18:10:00Z"}',
    b'{"occurred_at":1}', b'{"a":{"occurred_at":"2020-03-04T18:10:00Z"}}', b'["occurred_at"]', b"null", b"\xff", b"{}",
    b'{"occurred_at":"2020-03-04T18:10:00Z","a":"\xff"}', b'{"occurred_at":"2020-03-04T18:10:00Z","a":01}',
    b'{"occurred_at":"2020-03-04T18:10:00Z"} x', b'{"occurred_at":"2020-03-04T18:10:00Z","a":"' + b"x" * 70_000 + b'"}',
])  # fmt: skip
def test_a_line_with_an_odd_time_has_its_place_in_a_folder(value: bytes, tmp_path: Path) -> None:
    def chat(number: int) -> bytes:
        return event(CHATS, "ticket.responded", START + number * HOUR, ticket_id="T").removeprefix(PREFIX)[:-2] + b"\n"

    folder = folder_of(tmp_path, {CHATS: chat(0) + value + b"\n" + chat(1), ORDERS: value + b"\n" + value + b"\n"})
    order = [run.topics for run in runs(folder, parcelwatch_native)]
    assert order == [bytes((one.topic == CHATS and 2) or 0 for one in read(folder))]
    same_of(tmp_path, folder)
