"""Timelines in the console: what `explain` tells of the same events, and nothing of a buyer."""

from __future__ import annotations

import re

import msgspec

from schemas.decode import decode
from schemas.events import record_key
from schemas.topics import INPUTS
from streams.console.inputs import memory_inputs
from streams.engine.log.memory import MemoryLog
from tests.unit.console.served import PARTITIONS, log_with_topics, served
from tests.unit.explain import scenes
from tests.unit.rules.timeline import Timeline


def holding(timeline: Timeline) -> MemoryLog:
    log = log_with_topics()
    for topic, value in timeline.events:
        log.append(topic, record_key(decode(topic, value)[0]).encode(), value)
    return log


def test_a_timeline_is_told_with_its_events_alerts_and_due_times() -> None:
    with served(holding(scenes.late_order())) as console:
        page = console.until(lambda page: "<article" in page, "/timeline?subject=A")
        assert "Order A" in page
        assert "Shipping late" in page
        assert re.search(r"<time datetime=\"[^\"]+\">\d{4}-\d\d-\d\d \d\d:\d\d:\d\d</time>", page)
        chinese = console.get("/timeline?subject=A", {"Cookie": "lang=zh-CN"}).text
        assert "发货超时" in chinese
        assert "告警判定" in chinese


def test_what_the_inputs_do_not_hold_is_said() -> None:
    with served(holding(scenes.late_order())) as console:
        page = console.until(lambda page: 'role="alert"' in page, "/timeline?subject=%3Cb%3Enobody")
        assert "The inputs hold no parcel" in page
        assert "<b>nobody" not in page


def test_without_a_subject_nothing_is_read() -> None:
    with served(MemoryLog()) as console:
        assert "Reads the input topics" in console.get("/timeline?subject=%20").text


def test_inputs_that_do_not_exist_are_an_error_of_one_line() -> None:
    log = log_with_topics()
    log.drop(INPUTS[0])
    with served(log) as console:
        page = console.until(lambda page: 'role="alert"' in page, "/timeline?subject=A")
        assert "does not exist" in page


def test_a_console_that_ends_does_not_wait_for_a_timeline() -> None:
    with served(holding(scenes.late_order())) as console:
        console.get("/timeline?subject=A")


def test_partitions_are_merged_by_the_time_of_their_heads_as_a_replay_merges_files() -> None:
    log = log_with_topics()
    for number, hour in enumerate((3, 1, 2, 4)):
        value = f'{{"occurred_at":"2026-01-01T0{hour}:00:00Z"}}'.encode()
        log.append(INPUTS[0], b"k", value, partition=number % PARTITIONS)
    read = 0

    def progress(records: int) -> None:
        nonlocal read
        read += records

    with memory_inputs(log, PARTITIONS)() as opened:
        lines = list(opened.lines(progress))
        assert [line.value[27:29] for line in lines if line.value] == [b"01", b"03", b"02", b"04"]
        assert [line.partition for line in lines] == [1, 0, 0, 1]
        assert (read, opened.size) == (4, 4)


def test_neither_a_buyer_nor_a_text_is_told() -> None:
    log = log_with_topics()
    buyer, text = "buyer-of-secrets", "words-of-a-secret"
    items = [{"item_id": "I", "category_id": "c", "quantity": 1}]
    order = {"event_id": "1", "occurred_at": "2026-01-01T00:00:00Z", "type": "order.placed", "order_id": "A",
             "shop_id": "S", "buyer_id": buyer, "items": items}  # fmt: skip
    chat = {"event_id": "2", "occurred_at": "2026-01-01T01:00:00Z", "type": "chat.message", "conversation_id": "C",
            "shop_id": "S", "order_id": "A", "buyer_id": buyer, "sender": "buyer", "text": text}  # fmt: skip
    log.append("orders", b"A", msgspec.json.encode(order))
    log.append("chats", b"A", msgspec.json.encode(chat))
    with served(log) as console:
        page = console.until(lambda page: "<article" in page, "/timeline?subject=A")
        assert "placed" in page
        assert "message from the buyer" in page
        for secret in (buyer, text):
            assert secret not in page
            # Nor is anything found by it.
            assert "hold no parcel" in console.until(lambda page: 'role="alert"' in page, f"/timeline?subject={secret}")
