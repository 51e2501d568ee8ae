"""The tables of tallies: what is in them, when they change, and that no other table matters to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec
import orjson
import pytest

from schemas.outputs import ConversationTopics, RefundReasons
from schemas.times import render
from streams.engine.processor import Horizon, Output, PartitionClock, Record
from streams.policy import load
from streams.rules.help_rate.contributions import tallied
from streams.rules.help_rate.tally_names import CONVERSATION_TOPICS, REFUND_REASONS, tally
from streams.stages.dataflow import (
    BOUNDARIES,
    CATEGORY_SUMS,
    COUNTS_HORIZON,
    JUDGEMENT,
    OWN,
    SHOP_DELTAS,
)
from streams.stages.help_rate.shop_windows import ShopBook, combine
from streams.stages.orders_task import OrdersTask
from streams.stages.tables import TableRecord
from streams.stages.task_context import Setting
from tests.unit.rules.timeline import DAY, HOUR, MINUTE, SECOND, T0, TRIPLE, Timeline

REASONS = "refund-reasons"
RATES = "help-rates"
TOPICS = "conversation-topics"


def ask(timeline: Timeline, at: int, order: str = "A", reason: str = "broken", **fields: Any) -> Timeline:
    told = {"refund_id": "R1", "kind": "exchange", "reason": reason, **fields}
    return timeline.order("refund.requested", at, order, **told)


def records(timeline: Timeline, until: int, table: str = REASONS) -> list[dict[str, Any] | None]:
    return [record.value for record in timeline.heard(until).records if record.table == table]


def row(count: int, reason: str = "broken", kind: str = "exchange") -> dict[str, Any]:
    return {"kind": kind, "reason": reason, "count": count}


def a_record(at: int, week: Iterable[dict[str, Any]], month: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"shop_id": "S1", "as_of": render(T0 + at), "7d": list(week), "30d": list(month)}


class TestCounting:
    """Requests per shop, hour, kind and reason."""

    @pytest.mark.parametrize(
        ("reason", "counted"),
        [
            ("size-2", "size-2"), ("bad_item", "bad_item"), ("7", "7"), ("a" * 64, "a" * 64), ("a" * 65, "other"),
            ("", "other"), ("Late", "other"), ("too small", "other"), ("不想要了", "other"), ("size.2", "other"),
            ("late\n", "other"), ("r/x", "other"), ("٣", "other"), ("other", "other"),
        ],
    )  # fmt: skip
    def test_a_reason_is_a_code_or_other(self, reason: str, counted: str) -> None:
        (record,) = records(ask(Timeline(), 0, reason=reason), HOUR + 1)
        assert record == a_record(HOUR, [row(1, counted)], [row(1, counted)])
        msgspec.convert(record, RefundReasons, strict=True)

    def test_what_the_buyer_wrote_is_in_nothing_that_is_kept(self) -> None:
        task, _ = driven(ask(Timeline(), 0, reason="不想要了"), until=2 * HOUR)
        assert b"other" in b"".join(task.saved.values())
        assert "不想要了".encode() not in b"".join(task.saved.values())

    def test_a_request_counts_once_and_by_its_first_telling(self) -> None:
        timeline = ask(ask(ask(Timeline(), 0), MINUTE, reason="late"), 0)
        assert records(timeline, HOUR + 1) == [a_record(HOUR, [row(1)], [row(1)])]

    def test_requests_count_for_the_shop_of_the_event(self) -> None:
        heard = ask(ask(Timeline(), 0), 0, shop_id="S2", refund_id="R2").heard(HOUR + 1)
        assert {key: value and value["30d"] for key, value in heard.table(REASONS).items()} == {
            "S1": [row(1)], "S2": [row(1)],
        }  # fmt: skip

    def test_the_most_frequent_come_first_then_by_kind_then_by_reason(self) -> None:
        timeline = Timeline()
        told = [("exchange", "b"), ("refund_only", "a"), ("exchange", "a"), ("reship", "z"), ("reship", "z")]
        for number, (kind, reason) in enumerate(told):
            ask(timeline, 0, refund_id=f"R{number}", kind=kind, reason=reason)
        (record,) = records(timeline, HOUR + 1)
        assert record is not None
        assert record["30d"] == [
            row(2, "z", "reship"), row(1, "a"), row(1, "b"), row(1, "a", "refund_only"),
        ]  # fmt: skip

    def test_only_the_twenty_most_frequent_are_published(self) -> None:
        timeline = Timeline()
        for number in range(21):
            ask(timeline, 0, refund_id=f"R{number}", reason=f"r{number:02d}")
        ask(timeline, 0, refund_id="R", reason="r20")
        (record,) = records(timeline, HOUR + 1)
        assert record is not None
        assert record["7d"] == record["30d"] == [row(2, "r20"), *(row(1, f"r{number:02d}") for number in range(19))]

    def test_what_changes_behind_the_twentieth_is_no_change(self) -> None:
        timeline = Timeline()
        for number in range(21):
            ask(timeline, 0, refund_id=f"R{number}", reason=f"r{number:02d}")
        ask(timeline, 2 * HOUR, refund_id="R", reason="z")
        assert len(records(timeline, 4 * HOUR)) == 1


class TestBoundaries:
    """As of T: what has T - W <= time < T; one record per change and boundary."""

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_request_counts_as_of_the_boundary_after_it(self, beside: int) -> None:
        as_of = HOUR if beside < 0 else 2 * HOUR
        assert records(ask(Timeline(), HOUR + beside), 3 * HOUR) == [a_record(as_of, [row(1)], [row(1)])]

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_boundary_is_judged_once_it_is_passed(self, beside: int) -> None:
        assert len(records(ask(Timeline(), 0), HOUR + beside)) == (beside > 0)

    def test_a_request_leaves_the_week_then_the_month_and_leaves_a_tombstone(self) -> None:
        assert records(ask(Timeline(), 0), 40 * DAY) == [
            a_record(HOUR, [row(1)], [row(1)]),
            a_record(7 * DAY + HOUR, [], [row(1)]),
            None,
        ]
        assert records(ask(Timeline(), 0), 30 * DAY + HOUR)[-1] is not None
        assert records(ask(Timeline(), 0), 30 * DAY + HOUR + 1)[-1] is None

    def test_what_enters_as_the_same_leaves_is_no_change(self) -> None:
        timeline = ask(ask(Timeline(), 0), 30 * DAY, refund_id="R2")
        assert records(timeline, 31 * DAY)[2:] == [a_record(30 * DAY + HOUR, [row(1)], [row(1)])]
        timeline = ask(ask(Timeline(), 0), 7 * DAY, refund_id="R2")
        assert records(timeline, 8 * DAY)[1:] == [a_record(7 * DAY + HOUR, [row(1)], [row(2)])]

    def test_all_of_an_hour_is_one_record(self) -> None:
        timeline = ask(ask(Timeline(), 0), HOUR - 1, refund_id="R2")
        assert records(timeline, 2 * HOUR) == [a_record(HOUR, [row(2)], [row(2)])]

    def test_a_late_request_counts_from_the_next_boundary_not_judged_yet(self) -> None:
        timeline = ask(ask(Timeline(), 0), 5 * HOUR, refund_id="R2")
        ask(timeline, MINUTE, refund_id="R3")
        assert records(timeline, 7 * HOUR) == [
            a_record(HOUR, [row(1)], [row(1)]),
            # The shops read the scans too, which may be an hour late.
            a_record(4 * HOUR, [row(2)], [row(2)]),
            a_record(6 * HOUR, [row(3)], [row(3)]),
        ]

    def test_a_late_earlier_telling_takes_the_known_ones_place(self) -> None:
        timeline = ask(ask(ask(Timeline(), 2 * HOUR), 5 * HOUR, refund_id="R2"), HOUR, reason="late")
        assert records(timeline, 7 * HOUR)[-1] == a_record(6 * HOUR, [row(1), row(1, "late")], [row(1), row(1, "late")])


class TestIndependence:
    """No table appears or vanishes because of another."""

    def test_a_shop_with_requests_alone_has_no_help_rate_not_even_a_tombstone(self) -> None:
        assert records(ask(Timeline(), 0), 40 * DAY, RATES) == []

    def test_a_shop_without_requests_has_no_reasons(self) -> None:
        assert records(Timeline().placed(0).disputed(0), 40 * DAY) == []

    def test_the_reasons_stay_when_the_help_rate_goes(self) -> None:
        timeline = ask(Timeline().placed(0), 10 * DAY)
        heard = timeline.heard(31 * DAY)
        assert heard.table(RATES) == {"S1": None}
        assert heard.table(REASONS) == {"S1": a_record(17 * DAY + HOUR, [], [row(1)])}

    def test_the_help_rate_stays_when_the_reasons_go(self) -> None:
        heard = ask(Timeline().placed(10 * DAY), 0).heard(31 * DAY)
        assert heard.table(REASONS) == {"S1": None}
        assert heard.window()["orders"] == 1

    def test_the_help_rate_does_not_change_with_a_request(self) -> None:
        timeline = Timeline().placed(0).disputed(2 * HOUR)
        alone = records(timeline, 40 * DAY, RATES)
        ask(ask(timeline, 4 * HOUR), 3 * HOUR, refund_id="R2")
        assert records(timeline, 40 * DAY, RATES) == alone

    def test_a_shop_whose_only_escalation_is_voided_keeps_its_reasons(self) -> None:
        timeline = ask(Timeline().disputed(0), 0).voided(2 * HOUR, "dispute", "D1", order="A")
        heard = timeline.heard(4 * HOUR)
        assert heard.table(RATES) == {"S1": None}
        assert heard.table(REASONS) == {"S1": a_record(HOUR, [row(1)], [row(1)])}
        assert timeline.heard(40 * DAY).table(REASONS) == {"S1": None}


def shop_book(*counted: tuple[int, str]) -> ShopBook:
    """The stage with tallies at these times."""
    book = ShopBook(load.default())
    for change in combine(tallied("S1", T0 + at, name) for at, name in counted):
        book.add(change)
    return book


class TestConversationTopics:
    """The other table of tallies: the same windows in another form."""

    def test_topics_are_counted_by_window(self) -> None:
        names = [tally(CONVERSATION_TOPICS, topic) for topic in ("promotion", "logistics", "logistics")]
        book = shop_book((0, names[0]), (8 * DAY, names[1]), (8 * DAY, names[2]))
        book.advance(Horizon(T0 + 9 * DAY))
        last = book.tallies.records[-1]
        assert (last.table, last.key) == (TOPICS, "S1")
        assert last.value == {
            "shop_id": "S1",
            "as_of": render(T0 + 8 * DAY + HOUR),
            "7d": {"logistics": 2},
            "30d": {"logistics": 2, "promotion": 1},
        }
        msgspec.convert(last.value, ConversationTopics, strict=True)

    def test_each_table_of_a_shop_comes_and_goes_for_itself(self) -> None:
        book = shop_book((0, tally(CONVERSATION_TOPICS, "other")), (DAY, tally(REFUND_REASONS, "exchange", "other")))
        book.advance(Horizon(T0 + 40 * DAY))
        gone = [(record.table, record.value is None) for record in book.tallies.records]
        assert gone == [
            (TOPICS, False), (REASONS, False), (TOPICS, False), (REASONS, False), (TOPICS, True), (REASONS, True),
        ]  # fmt: skip
        assert book.closed == []
        assert book.rows == {}
        assert book.tallies._tables == {}

    def test_what_is_taken_back_at_the_same_boundary_was_never_there(self) -> None:
        one = tallied("S1", T0, tally(CONVERSATION_TOPICS, "other"))
        book = ShopBook(load.default())
        for change in combine([one, msgspec.structs.replace(one, sign=-1)]):
            book.add(change)
        book.advance(Horizon(T0 + 40 * DAY))
        assert book.tallies.records == []


class Driven:
    """One task alone on its partition: what it sends comes back to it; `saved` is its changelog."""

    def __init__(self) -> None:
        policy = load.default()
        self._setting = Setting(policy, 1, 1, lambda _key, _count: 0, lambda: 0)
        self._clocks = {topic: PartitionClock(policy.lateness.micros[topic]) for topic in ("orders", "chats")}
        self._offset = 0
        self.task = OrdersTask(self._setting, 0)
        self.saved: dict[bytes, bytes] = {}
        self.outputs: list[Output] = []

    def take(self, topic: str, value: bytes) -> None:
        told = json.loads(value)
        key = next(told[name] for name in ("order_id", "conversation_id", "ticket_id", "complaint_id") if name in told)
        record = Record(self._offset, 1 << 42, key.encode(), value)
        self._offset += 1
        self.task.events(topic, 0, [record], self._clocks[topic])

    def advance(self, horizon: Horizon) -> None:
        """Stage after stage, each with what the one before has sent."""
        known: dict[str, Horizon] = dict.fromkeys((OWN, COUNTS_HORIZON, BOUNDARIES, JUDGEMENT), self.passed)
        for names, sent in (((OWN, COUNTS_HORIZON), SHOP_DELTAS), ((BOUNDARIES,), CATEGORY_SUMS), ((JUDGEMENT,), "")):
            known.update(dict.fromkeys(names, horizon))
            while self.task.advance(known):
                pass
            self.commit(sent)

    passed = Horizon(T0 - 400 * DAY)

    def settle(self) -> None:
        """Advances to the watermark of what was read."""
        greatest = max(clock.greatest for clock in self._clocks.values())
        horizon = Horizon(max(greatest - MINUTE, self.passed.watermark))
        self.advance(horizon)
        self.passed = horizon

    def restart(self) -> None:
        """A new task with nothing but the changelog."""
        self.task = OrdersTask(self._setting, 0)
        self.task.restore(self.saved.items())

    def facts(self) -> dict[bytes, bytes]:
        """What is kept, but for how far the stages were: that is not kept at every step.

        Messages of conversations are left out, too: a restart looks at every case, and drops old ones sooner.
        """
        return {key: value for key, value in self.saved.items() if key[:1] != b"h" and b"clock" not in key}

    def commit(self, expected: str) -> None:
        effects = self.task.collect()
        self.outputs += effects.outputs
        for key, value in effects.rows.items():
            if value is None:
                self.saved.pop(key, None)
            else:
                self.saved[key] = value
        for edge, targets in effects.sends.items():
            for target, sent in targets.items():
                if edge in (SHOP_DELTAS, CATEGORY_SUMS):
                    assert edge == expected
                    assert target in (0, -1)  # -1: everyone
                    self.task.envelope(edge, 0, msgspec.msgpack.decode(msgspec.msgpack.encode(sent)))


def driven(
    timeline: Timeline, until: int, looks: Random | None = None, *, restarts: bool = False
) -> tuple[Driven, set[Any]]:
    """The task behind this history and what came out of it. `looks`: settles, and restarts, at random."""
    one = Driven()
    for topic, value in timeline.events:
        one.take(topic, value)
        if looks is None or looks.random() < 0.5:
            one.settle()
        else:
            one.commit(SHOP_DELTAS)
        if restarts:
            one.restart()
    one.advance(Horizon(T0 + until, final=True))
    return one, {(output.topic, output.key, output.value) for output in one.outputs}


def busy() -> Timeline:
    """Some of everything that concerns requests, with gaps in which windows are left."""
    timeline = Timeline().placed(-2 * DAY, items=(("i1", "flowers"),)).order("completed", 0)
    for number, at in enumerate((HOUR, 2 * HOUR, 3 * DAY, 16 * DAY, 20 * DAY, 29 * DAY)):
        ask(timeline, at, refund_id=f"R{number}", reason=("broken", "late", "其他")[number % 3])
        timeline.order("refund.rejected", at + MINUTE, refund_id=f"R{number}")
        if number % 2:
            timeline.disputed(at + 5 * MINUTE, f"D{number}").tick(at + HOUR + 2 * MINUTE)
    timeline.order("refund.settled", 29 * DAY + HOUR, refund_id="R5")
    timeline.opened(31 * DAY, "after_sales", ticket="K1", order_id="A").voided(31 * DAY, "dispute", "D3", order="A")
    return timeline.tick(40 * DAY).tick(75 * DAY)


class TestRestart:
    """A task that is restored from its rows goes on as if nothing had been."""

    @pytest.mark.parametrize("seed", range(8))
    def test_restarts_change_nothing_that_comes_out_nor_what_is_kept(self, seed: int) -> None:
        without, expected = driven(busy(), 80 * DAY, Random(seed))
        restarted, found = driven(busy(), 80 * DAY, Random(seed), restarts=True)
        assert found == expected
        assert restarted.facts() == without.facts()

    def test_the_task_says_what_a_replay_says(self) -> None:
        _, found = driven(busy(), until=80 * DAY)
        tables = {(topic, key, value) for topic, key, value in found if not topic.startswith("alerts.")}
        wanted = busy().heard(80 * DAY).records
        assert tables == {(r.table, r.key.encode(), _encoded(r)) for r in wanted}
        reasons = [orjson.loads(value) for topic, _, value in tables if topic == REASONS and value is not None]
        assert len(reasons) > 5

    def test_rows_of_what_has_left_the_windows_are_gone(self) -> None:
        one, _ = driven(ask(Timeline(), 0).tick(40 * DAY), until=40 * DAY + SECOND)
        assert [key for key in one.saved if key[:1] == b"r"] == []


def _encoded(record: TableRecord) -> bytes | None:
    return None if record.value is None else orjson.dumps(record.value)
