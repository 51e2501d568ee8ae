"""Records of a partition: the invalid ones are buried in the midst of good ones, which are none the worse for it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from structlog.testing import capture_logs

from schemas.decode import MAX_BYTES, Reason, decode
from schemas.events import CHATS, ORDERS, SCANS, record_key
from schemas.times import HOUR, parse
from streams.engine.partitioner import partition_for
from streams.engine.processor import Output, PartitionClock, Record, Unread
from streams.policy import load
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK
from streams.stages.factory import processor
from streams.stages.intake import LARGEST_LETTER, Counts
from streams.stages.intake_log import PAUSE, IntakeLog
from streams.stages.task_context import Setting
from tests.unit.schemas.invalid import INVALID
from tests.unit.schemas.values import AT, VALUES, value

LATENESS = 60_000_000
NOW_MS = parse(AT) // 1000
KEYS = {ORDERS: "A", SCANS: "X1", CHATS: "C"}
GOOD = {ORDERS: "order.paid", SCANS: "scan", CHATS: "chat.message"}


class Partition:
    """One partition of a topic and the task that reads it; its clock is the partition's."""

    def __init__(self, topic: str, *, partitions: int = 1, number: int = 0, payload: bool = False) -> None:
        self.topic = topic
        self.number = number
        self.counts = Counts()
        self.clock = PartitionClock(LATENESS)
        setting = Setting(
            load.default(), partitions, partitions, partition_for, lambda: parse("2026-11-04T00:00:00Z"), self.counts,
            dead_letter_payload=payload,
        )  # fmt: skip
        self.task = processor(setting, SHIPMENTS_TASK if topic == SCANS else ORDERS_TASK, number)
        self.task.restore([])

    def take(self, *records: Record) -> tuple[list[Output], dict[bytes, bytes | None]]:
        """The dead letters of a batch, and the rows of the state that it changes."""
        self.task.events(self.topic, self.number, records, self.clock)
        effects = self.task.collect()
        assert all(output.topic == f"{self.topic}.dlq" for output in effects.outputs)
        return effects.outputs, effects.rows


def record(
    offset: int, raw: bytes | None, key: str | bytes | None = None, at: int = NOW_MS, **headers: bytes
) -> Record:
    text = key.encode() if isinstance(key, str) else key
    return Record(offset, at, text, raw, tuple(headers.items()))


def good(topic: str, offset: int, **changes: Any) -> Record:
    raw = value(topic, GOOD[topic], **changes)
    return record(offset, raw, record_key(decode(topic, raw)[0]))


def code(output: Output) -> str:
    return dict(output.headers)["error-code"].decode()


@pytest.mark.parametrize(("topic", "raw", "reason"), INVALID)
def test_an_invalid_record_goes_to_the_dead_letters_and_its_neighbours_are_unharmed(
    topic: str, raw: bytes, reason: Reason
) -> None:
    batch = [good(topic, 0), record(1, raw, KEYS[topic]), good(topic, 2, event_id="e2", shop_id="S2", facility="F2")]
    partition = Partition(topic)
    dead, rows = partition.take(*batch)
    assert [code(one) for one in dead] == [reason]
    assert partition.counts.dead == {(topic, str(reason)): 1}
    alone = Partition(topic)
    assert alone.take(batch[0], batch[2]) == ([], rows)
    assert (partition.counts.repeated, partition.clock) == (alone.counts.repeated, alone.clock)


def test_a_dead_letter_leads_back_to_its_record() -> None:
    partition = Partition(ORDERS)
    original = record(41, b"not json", b"any key \xff", trace=b"t1")
    (dead,), _ = partition.take(good(ORDERS, 40), original)
    assert (dead.key, dead.value) == (b"any key \xff", None)
    headers = dict(dead.headers)
    assert headers.pop("error-detail")
    assert headers == {
        "trace": b"t1",
        "error-code": b"not_json",
        "source-topic": b"orders",
        "source-partition": b"0",
        "source-offset": b"41",
        "failed-at": b"2026-11-04T00:00:00Z",
    }


def test_what_stands_for_records_that_cannot_be_read_is_one_dead_letter_that_says_so() -> None:
    (dead,), _ = Partition(ORDERS, payload=True).take(Unread(9, -1, None, b""))
    told = dict(dead.headers)
    assert (dead.key, dead.value, told["error-code"], told["source-offset"]) == (None, None, b"not_json", b"9")
    assert told["error-detail"] == b"records of the batch that ends with this offset cannot be read"


@pytest.mark.parametrize("name", ["error-code", "error-detail", "source-topic", "source-partition", "source-offset",
                                  "failed-at", "Error-Code"])  # fmt: skip
def test_a_producers_header_that_bears_a_name_of_ours_is_left_out(name: str) -> None:
    original = Record(7, NOW_MS, b"A", b"not json", ((name, b"forged"), ("trace", b"t"), (name, b"again")))
    (dead,), _ = Partition(ORDERS).take(original)
    assert b"forged" not in dict(dead.headers).values()
    assert len({name for name, _ in dead.headers}) == len(dead.headers) == 7


def test_dead_letters_and_late_events_are_logged_once_in_a_while_without_a_value() -> None:
    with capture_logs() as logged:
        partition = Partition(ORDERS)
        bad = [record(offset, b"what a buyer wrote", "A") for offset in range(5)]
        late = [good(ORDERS, offset, event_id=f"e{offset}", occurred_at="2026-11-01T00:00:00Z") for offset in (8, 9)]
        partition.take(*bad, record(5, b"[]", "A"), good(ORDERS, 7), *late)
    where = {"topic": ORDERS, "partition": 0, "others_since": 0}
    assert logged == [
        {"event": "dead letter", "log_level": "warning", "offset": 0, "reason": "not_json", **where},
        {"event": "dead letter", "log_level": "warning", "offset": 5, "reason": "not_object", **where},
        {"event": "late event", "log_level": "info", "offset": 8, **where},
    ]


def test_the_next_line_says_how_many_had_none() -> None:
    now = [0]
    told = IntakeLog(lambda: now[0])
    with capture_logs() as logged:
        for at in (0, 1, PAUSE - 1, PAUSE, PAUSE + 1):
            now[0] = at
            told.dead(ORDERS, 3, at, "not_json")
    assert [(line["offset"], line["others_since"]) for line in logged] == [(0, 0), (PAUSE, 2)]


def test_the_last_line_of_a_flood_has_the_rest_of_its_count() -> None:
    now = [0]
    told = IntakeLog(lambda: now[0])
    with capture_logs() as logged:
        for offset in range(10):
            told.dead(ORDERS, 3, offset, "not_json")
            told.catch_up()
        told.late(ORDERS, 3, 10)
        now[0] = PAUSE
        told.catch_up()
        told.catch_up()
    assert [(line["event"], line["offset"], line["others_since"]) for line in logged] == [
        ("dead letter", 0, 0), ("late event", 10, 0), ("dead letter", 9, 8),
    ]  # fmt: skip


def test_a_flood_is_counted_to_the_last_letter_and_logged_once_for_each_reason() -> None:
    broken = [(b"{", Reason.NOT_JSON), (b"[1]", Reason.NOT_OBJECT), (b"{}", Reason.MISSING_FIELD),
              (b"x" * (MAX_BYTES + 1), Reason.TOO_LARGE), (b'{"type":"scam"}', Reason.UNKNOWN_TYPE)]  # fmt: skip
    kinds = [(raw, str(reason)) for raw, reason in broken]
    flood = [record(offset, kinds[offset % len(kinds)][0], KEYS[SCANS]) for offset in range(1, 5_001)]
    partition = Partition(SCANS)
    with capture_logs() as logged:
        dead, rows = partition.take(good(SCANS, 0), *flood, good(SCANS, 5_001, event_id="e2", facility="F2"))
    reasons = Counter(kinds[one.offset % len(kinds)][1] for one in flood)
    assert Counter(map(code, dead)) == reasons
    assert partition.counts.dead == {(SCANS, reason): count for reason, count in reasons.items()}
    assert sorted(line["reason"] for line in logged) == sorted(reasons)
    alone = Partition(SCANS)
    assert alone.take(good(SCANS, 0), good(SCANS, 5_001, event_id="e2", facility="F2")) == ([], rows)


def test_the_original_bytes_are_kept_only_where_the_operator_opts_in() -> None:
    for payload, kept in ((False, None), (True, b"not json")):
        (dead,), _ = Partition(ORDERS, payload=payload).take(record(0, b"not json", "A"))
        assert dead.value == kept


@pytest.mark.parametrize(("over", "kept"), [(-1, True), (0, True), (1, False)], ids=["below", "at", "beyond"])
def test_a_letter_repeats_no_more_of_its_record_than_the_log_takes(over: int, kept: bool) -> None:
    large = b"x" * (LARGEST_LETTER + over)
    plain = Record(0, NOW_MS, b"A", large[1:], ())
    (dead,), _ = Partition(ORDERS, payload=True).take(plain)
    assert dead.value == (plain.value if kept else None)
    assert dead.key == b"A"
    # Its name, and six bytes for two lengths.
    header = ("h", large[1 + 1 + 6 :])
    (dead,), _ = Partition(ORDERS).take(Record(0, NOW_MS, b"A", b"{", (header,)))
    assert (dead.headers[0] == header) is kept
    assert ("source-offset", b"0") in dead.headers
    (dead,), _ = Partition(ORDERS, payload=True).take(Record(0, NOW_MS, large, b"", (("h", b""),)))
    assert dead.key == (large if kept else None)


@pytest.mark.parametrize(
    "headers",
    [[("\ufffd" * 400_000, b"")], [("a", b"")] * 300_000, [("名" * 299_000, b"x" * 100_000)]],
    ids=["a name that was no UTF-8", "many", "a long name"],
)
def test_a_letter_is_no_larger_than_the_log_takes_whatever_headers_its_record_has(
    headers: list[tuple[str, bytes]],
) -> None:
    (dead,), _ = Partition(ORDERS, payload=True).take(Record(0, NOW_MS, b"A", b"{", tuple(headers)))
    assert DefaultRecordBatchBuilder.size_of(dead.key, dead.value, list(dead.headers)) < 1_000_000


def test_what_letters_hold_of_their_records_is_told_until_they_are_handed_over() -> None:
    partition = Partition(ORDERS, payload=True)
    letters = [record(0, b"x" * 100, "A"), record(1, b"y" * 50, "A", h=b"z" * 9)]
    # Their keys, and a header with its name, too.
    partition.task.events(ORDERS, 0, letters, partition.clock)
    assert partition.task.held == 162
    partition.task.collect()
    assert partition.task.held == 0


def test_a_header_without_a_value_is_an_empty_one_in_the_letter() -> None:
    (dead,), _ = Partition(ORDERS).take(Record(0, NOW_MS, b"A", b"{", (("h", None),)))  # type: ignore[arg-type]
    assert dead.headers[0] == ("h", b"")


@pytest.mark.parametrize("key", [None, b"", b"B", b"a", b"A ", b"\xff", "Ａ".encode()])
@pytest.mark.parametrize(("topic", "type_"), list(VALUES))
def test_a_record_under_another_key_than_its_own_is_invalid(topic: str, type_: str, key: bytes | None) -> None:
    raw = value(topic, type_)
    own = record_key(decode(topic, raw)[0])
    dead, _ = Partition(topic).take(record(0, raw, own), record(1, raw, key))
    assert [code(one) for one in dead] == [Reason.WRONG_KEY]


def test_a_scan_is_keyed_by_its_number_and_not_by_its_carrier() -> None:
    dead, _ = Partition(SCANS).take(record(0, value(SCANS, "scan"), "SF"), record(1, value(SCANS, "scan"), "X1"))
    assert [code(one) for one in dead] == [Reason.WRONG_KEY]


@pytest.mark.parametrize("topic", [ORDERS, SCANS, CHATS])
def test_a_record_in_another_partition_than_its_keys_is_invalid(topic: str) -> None:
    own = partition_for(KEYS[topic].encode(), 7)
    for number in range(7):
        partition = Partition(topic, partitions=7, number=number)
        dead, _ = partition.take(good(topic, 0))
        assert [code(one) for one in dead] == ([] if number == own else [Reason.WRONG_PARTITION])


@pytest.mark.parametrize("topic", [ORDERS, SCANS, CHATS])
def test_a_record_in_the_wrong_partition_is_refused_again_and_again(topic: str) -> None:
    number = (partition_for(KEYS[topic].encode(), 7) + 1) % 7
    partition = Partition(topic, partitions=7, number=number)
    for _ in range(2):
        dead, _ = partition.take(good(topic, 0), good(topic, 1, event_id="e2"))
        assert [code(one) for one in dead] == [Reason.WRONG_PARTITION] * 2


def test_the_key_is_judged_before_the_partition() -> None:
    number = (partition_for(b"A", 7) + 1) % 7
    dead, _ = Partition(ORDERS, partitions=7, number=number).take(record(0, value(ORDERS, "order.paid"), "B"))
    assert [code(one) for one in dead] == [Reason.WRONG_KEY]


@pytest.mark.parametrize("topic", [ORDERS, SCANS, CHATS])
def test_a_tombstone_is_counted_and_passed_over(topic: str) -> None:
    partition = Partition(topic)
    dead, rows = partition.take(good(topic, 0), record(1, None, "A"), record(2, None), good(topic, 3, event_id="e2"))
    assert dead == []
    assert partition.counts.tombstones == 2
    assert rows == Partition(topic).take(good(topic, 0), good(topic, 3, event_id="e2"))[1]


@pytest.mark.parametrize(("beside", "reasons"), [(-1, [Reason.FROM_THE_FUTURE]), (0, []), (1, [])])
@pytest.mark.parametrize("topic", [ORDERS, SCANS, CHATS])
def test_an_event_more_than_24_hours_ahead_of_its_records_timestamp_is_invalid(
    topic: str, beside: int, reasons: list[Reason]
) -> None:
    # The log's timestamps are milliseconds.
    one = good(topic, 0)
    partition = Partition(topic)
    dead, _ = partition.take(one._replace(timestamp=NOW_MS - 24 * HOUR // 1000 + beside))
    assert [code(letter) for letter in dead] == reasons
    assert (partition.clock.greatest == parse(AT)) == (not reasons)


@pytest.mark.parametrize("stamp", [None, -1, 0])
def test_a_record_without_a_timestamp_is_taken(stamp: int | None) -> None:
    # None: of Kafka before 0.11.
    dead, _ = Partition(ORDERS).take(good(ORDERS, 0)._replace(timestamp=stamp))
    assert not dead


def test_24_hours_and_a_microsecond_ahead_is_too_far() -> None:
    raw = value(ORDERS, "order.paid", occurred_at="2026-11-03T08:15:00.000001+08:00")
    dead, _ = Partition(ORDERS).take(record(0, raw, "A", NOW_MS - 24 * HOUR // 1000))
    assert [code(letter) for letter in dead] == [Reason.FROM_THE_FUTURE]


def test_what_is_invalid_moves_no_watermark() -> None:
    partition = Partition(ORDERS)
    far = value(ORDERS, "order.paid", occurred_at="2026-12-24T00:00:00Z", ship_by="bad")
    partition.take(good(ORDERS, 0), record(1, far, "A", parse("2026-12-24T00:00:00Z") // 1000))
    wrong_key = value(ORDERS, "order.paid", occurred_at="2026-12-24T00:00:00Z")
    partition.take(record(2, wrong_key, "B", parse("2026-12-24T00:00:00Z") // 1000))
    assert partition.clock.greatest == parse(AT)


@pytest.mark.parametrize(("size", "reasons"), [(MAX_BYTES, []), (MAX_BYTES + 1, [Reason.TOO_LARGE])])
def test_64_kib_are_taken_and_a_byte_more_is_not(size: int, reasons: list[Reason]) -> None:
    room = size - len(value(CHATS, "chat.message", text=""))
    raw = value(CHATS, "chat.message", text="x" * room)
    assert len(raw) == size
    dead, _ = Partition(CHATS).take(record(0, raw, "C"))
    assert [code(letter) for letter in dead] == reasons


@pytest.mark.parametrize(("beside", "late"), [(-1, 1), (0, 0), (1, 0)])
def test_an_event_older_than_the_watermark_is_late_and_taken(beside: int, late: int) -> None:
    partition = Partition(ORDERS)
    partition.take(good(ORDERS, 0))
    at = f"2026-11-03T00:{13 if beside < 0 else 14}:{'59.999999' if beside < 0 else f'00.00000{beside}'}Z"
    dead, rows = partition.take(good(ORDERS, 1, order_id="B", occurred_at=at))
    assert (dead, partition.clock.late) == ([], late)
    assert any(b"B" in key for key in rows)


def test_events_behind_the_end_are_left_out_and_counted_but_the_invalid_are_dead_all_the_same() -> None:
    partition = Partition(ORDERS)
    partition.clock.until = parse(AT)
    late = record(2, value(ORDERS, "order.paid", occurred_at="2026-11-03T08:15:00.000001+08:00", order_id="B"), "B")
    dead, rows = partition.take(good(ORDERS, 0), record(1, b"{", "A"), late)
    assert [code(letter) for letter in dead] == [Reason.NOT_JSON]
    assert partition.clock.left_out == 1
    assert not any(b"B" in key for key in rows)


@pytest.mark.parametrize("topic", [ORDERS, SCANS, CHATS])
def test_no_detail_and_no_row_of_chats_holds_a_text(topic: str) -> None:
    personal = "please call 13800001111"
    partition = Partition(topic)
    bad = value(topic, GOOD[topic], **{name: [personal] for name in ("text", "ship_by", "status")})
    dead, rows = partition.take(good(topic, 0, text=personal, note=personal), record(1, bad, KEYS[topic]))
    (letter,) = dead
    assert not [header for _, header in letter.headers if b"1380000" in header]
    if topic == CHATS:
        assert not [row for row in rows.items() if b"1380000" in (row[1] or b"")]


def test_no_row_holds_the_buyer() -> None:
    raw = value(ORDERS, "order.placed", buyer_id="buyer-13800001111")
    dead, rows = Partition(ORDERS).take(record(0, raw, "A"))
    assert (dead, len(rows) > 0) == ([], True)
    assert not [row for row in rows.items() if b"1380000" in (row[1] or b"") or b"1380000" in row[0]]


@pytest.mark.parametrize("topic", [ORDERS, SCANS, CHATS])
def test_what_has_not_changed_is_not_written_again(topic: str) -> None:
    partition = Partition(topic)
    partition.take(good(topic, 0))
    assert partition.take() == ([], {})
    assert partition.take(record(1, b"{", "A"))[1] == {}
