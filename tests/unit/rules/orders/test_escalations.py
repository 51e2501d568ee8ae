"""What counts as an escalation: they stack, each once by its id, for its shop and item, until it is taken back."""

from __future__ import annotations

import pytest

from tests.unit.rules.timeline import TRIPLE, Timeline, hours, lowered

COUNTS = ("disputes", "complaints", "interventions", "ticket_timeouts")


def counts(timeline: Timeline, until: int = hours(60), shop: str = "S1") -> list[int]:
    """Disputes, complaints, interventions and timeouts of the last 30 days."""
    window = timeline.heard(until).window(shop)
    assert window["escalations"] == sum(window[name] for name in COUNTS)
    return [window[name] for name in COUNTS]


def test_one_order_may_have_all_four() -> None:
    timeline = Timeline().placed(0).opened(0, order_id="A").disputed(1).complained(2, order_id="A")
    timeline.requested(3, order_id="A").message(4, order_id="A", conversation="C9")
    assert counts(timeline) == [1, 1, 2, 1]


def test_each_counts_once_by_its_own_id() -> None:
    timeline = Timeline()
    for at in (0, 1, hours(2)):
        timeline.disputed(at, "D1").complained(at, "K1").requested(at, "I1").opened(at)
    timeline.disputed(hours(3), "D2").complained(hours(3), "K2").requested(hours(3), "I2").opened(hours(3), ticket="K2")
    heard = timeline.heard(hours(60))
    assert heard.repeated == 8
    assert [heard.window()[name] for name in COUNTS] == [2, 2, 2, 2]


def test_the_same_id_under_another_key_is_another_one() -> None:
    timeline = Timeline().complained(0, "K1").complained(1, "K1", order_id="A").complained(2, "K1", order_id="B")
    timeline.disputed(3, "D1", order="A").disputed(4, "D1", order="B")
    assert counts(timeline) == [2, 3, 0, 0]


def test_it_counts_for_the_shop_of_its_event() -> None:
    timeline = Timeline().placed(0, shop_id="S1").disputed(1, shop_id="S2").opened(2, order_id="A", shop_id="S3")
    assert counts(timeline, shop="S2") == [1, 0, 0, 0]
    assert counts(timeline, shop="S3") == [0, 0, 0, 1]
    assert counts(timeline) == [0, 0, 0, 0]


def test_a_timeout_counts_at_the_time_of_the_timeout() -> None:
    timeline = Timeline().placed(0).opened(0)
    assert counts(timeline, until=hours(25)) == [0, 0, 0, 0]
    # Due at 24 h: it lies in the hour from there on, and counts as of its end.
    assert counts(timeline, until=hours(25) + 1) == [0, 0, 0, 1]


def test_a_ticket_answered_in_time_is_none_and_one_answered_too_late_is_one() -> None:
    for beside, timeouts in ((0, 0), (1, 1)):
        assert counts(Timeline().placed(0).opened(0).responded(hours(24) + beside))[3] == timeouts


# -- items


def item_orders(*lines: tuple[str, str], orders: int = 5) -> Timeline:
    """Orders of these lines in S1, and a calm shop beside it, under a policy by which an item is at risk at once."""
    timeline = Timeline(lowered(min_orders=1, min_shops=2, delisting_min_escalations=1))
    for number in range(orders):
        timeline.placed(0, f"A{number}", items=lines).placed(0, f"B{number}", items=[("other", "c1")], shop_id="S2")
    # A category of many calm shops: any rate is above three times its mean.
    for number in range(20):
        timeline.placed(0, f"Z{number}", items=[("z", "c1")], shop_id=f"Z{number}")
    return timeline


def at_risk(timeline: Timeline) -> list[str]:
    return [alert.subject for alert in timeline.heard(hours(2)).every("item.delisting_risk")]


def test_an_escalation_that_names_an_item_counts_for_it() -> None:
    timeline = item_orders(("i1", "c1"), ("i2", "c1"))
    assert at_risk(timeline.disputed(1, order="A0", item_id="i2")) == ["i2"]


def test_one_that_names_none_counts_for_the_only_item_of_its_order() -> None:
    assert at_risk(item_orders(("i1", "c1")).disputed(1, order="A0")) == ["i1"]
    assert at_risk(item_orders(("i1", "c1"), ("i1", "c1")).complained(1, order_id="A0")) == ["i1"]
    assert at_risk(item_orders(("i1", "c1")).message(1, order_id="A0")) == ["i1"]


def test_one_that_names_none_counts_for_no_item_where_the_order_has_several() -> None:
    assert at_risk(item_orders(("i1", "c1"), ("i2", "c1")).disputed(1, order="A0")) == []


def test_the_order_must_have_been_placed_by_then() -> None:
    for placed, expected in ((0, ["i1"]), (1, ["i1"]), (2, [])):
        timeline = item_orders(("i1", "c1")).disputed(1, order="late").placed(placed, "late", items=[("i1", "c1")])
        assert at_risk(timeline) == expected


# -- interventions


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize("first", ["message", "request"])
@pytest.mark.parametrize("second", ["message", "request"])
def test_one_that_follows_a_counted_one_within_24_hours_does_not_count(first: str, second: str, beside: int) -> None:
    timeline = Timeline().placed(0)
    for way, at, name in ((first, 7, "I1"), (second, 7 + hours(24) + beside, "I2")):
        if way == "message":
            timeline.message(at)
        else:
            timeline.requested(at, name, conversation_id="C1")
    assert counts(timeline)[2] == (1 if beside < 0 else 2)


def test_the_span_runs_from_the_one_that_counted_and_not_from_one_that_did_not() -> None:
    timeline = Timeline().message(0).message(hours(20)).message(hours(30)).message(hours(50))
    # 30 h is a day behind 0 h and counts; 50 h is within a day of it.
    assert counts(timeline)[2] == 2


def test_a_request_without_a_conversation_always_counts() -> None:
    timeline = Timeline().requested(0, "I1", order_id="A").requested(1, "I2", order_id="A").message(2, order_id="A")
    assert counts(timeline)[2] == 3


def test_the_span_is_that_of_one_conversation_under_one_key() -> None:
    timeline = Timeline().message(0).message(1, conversation="C2").message(2, order_id="A")
    assert counts(timeline)[2] == 3


def test_a_message_is_known_by_its_conversation_and_event_id() -> None:
    timeline = Timeline().message(0, event_id="m").again().message(1, conversation="C2", event_id="m")
    assert counts(timeline)[2] == 2


@pytest.mark.parametrize("sender", ["merchant", "merchant_bot", "platform"])
def test_only_a_buyers_message_is_one(sender: str) -> None:
    assert counts(Timeline().placed(0).message(1, sender=sender))[2] == 0


@pytest.mark.parametrize("text", ["不用介入", "先不介入", "平台介入的问题我向你求助", "发货了吗"])
def test_a_message_that_asks_for_nothing_is_none(text: str) -> None:
    assert counts(Timeline().placed(0).message(1, text))[2] == 0


# -- voiding

VOIDED = hours(2)


@pytest.mark.parametrize(
    ("until", "count"), [(VOIDED + 1, 1), (hours(3), 1), (hours(3) + 1, 0)], ids=["at it", "before the next", "behind"]
)
def test_a_voiding_at_a_boundary_counts_as_of_the_next_one(until: int, count: int) -> None:
    timeline = Timeline().placed(0).disputed(1).voided(VOIDED, "dispute", "D1", order="A")
    assert counts(timeline, until=until)[0] == count


@pytest.mark.parametrize(("at", "gone_as_of"), [(VOIDED - 1, VOIDED), (VOIDED, hours(3)), (VOIDED + 1, hours(3))])
def test_the_boundary_behind_the_voiding_is_the_first_without_it(at: int, gone_as_of: int) -> None:
    timeline = Timeline().placed(0).disputed(1).voided(at, "dispute", "D1", order="A")
    heard = timeline.heard(hours(9))
    value = heard.table("help-rates")["S1"]
    assert value is not None
    assert (value["30d"]["disputes"], value["as_of"]) == (0, f"2025-03-03T0{gone_as_of // hours(1)}:00:00Z")


def test_a_voiding_takes_back_each_kind_on_either_topic() -> None:
    timeline = Timeline().placed(0).disputed(1).complained(1, order_id="A").requested(1, order_id="A")
    timeline.opened(0, order_id="A", respond_by=1).disputed(1, "D2").message(1, event_id="m")
    for kind, id_ in (("dispute", "D1"), ("complaint", "K1"), ("ticket_timeout", "K")):
        timeline.voided(hours(1), kind, id_, order="A")
    timeline.voided(hours(1), "intervention", "I1", order_id="A").voided(hours(1), "dispute", "D2", order_id="A")
    timeline.voided(hours(1), "intervention", "C1:m", conversation_id="C1")
    assert counts(timeline, until=hours(2)) == [2, 1, 2, 1]
    assert counts(timeline, until=hours(2) + 1) == [0, 0, 0, 0]


def test_a_voiding_that_names_an_unknown_id_waits_for_it() -> None:
    timeline = Timeline().placed(0).voided(1, "dispute", "D1", order="A").disputed(hours(30))
    assert counts(timeline)[0] == 0


def test_a_voiding_of_another_kind_or_under_another_key_takes_nothing_back() -> None:
    timeline = Timeline().placed(0).disputed(1, "E").complained(1, "E", order_id="A")
    timeline.voided(2, "intervention", "E", order="A").voided(2, "dispute", "E", order="B").voided(2, "dispute", "E")
    assert counts(timeline)[:2] == [1, 1]


def test_a_voided_timeout_leaves_the_ticket_timed_out() -> None:
    timeline = Timeline().opened(0).voided(hours(30), "ticket_timeout", "K").responded(hours(40))
    heard = timeline.heard(hours(60))
    assert [one.resolution for one in heard.said("ticket.timed_out")] == [None, "responded"]
    assert "S1" in heard.table("help-rates")
    assert heard.table("help-rates")["S1"] is None


def test_a_voided_intervention_keeps_its_span_of_24_hours() -> None:
    timeline = Timeline().placed(0).requested(1, conversation_id="C1").message(hours(20))
    timeline.voided(2, "intervention", "I1", conversation_id="C1")
    assert counts(timeline)[2] == 0


def test_a_second_voiding_changes_nothing() -> None:
    timeline = Timeline().placed(0).disputed(1).voided(2, "dispute", "D1", order="A")
    timeline.voided(3, "dispute", "D1", order="A").voided(hours(4), "dispute", "D1", order_id="A")
    heard = timeline.heard(hours(9))
    assert heard.repeated == 2
    assert heard.window()["escalations"] == 0


# -- linked with logistics


@pytest.mark.parametrize(
    ("at", "linked"), [(hours(48) - 1, 0), (hours(48), 1), (hours(60) - 1, 1), (hours(60), 0), (hours(60) + 1, 0)]
)
def test_one_while_its_order_is_shipped_late_is_linked_with_logistics(at: int, linked: int) -> None:
    timeline = Timeline().paid(0).disputed(at).shipped(hours(60))
    timeline.events.sort(key=lambda event: event[1].split(b"occurred_at")[1])
    assert timeline.heard(hours(70)).window()["logistics_linked"] == linked


@pytest.mark.parametrize(("at", "linked"), [(-1, 0), (0, 1), (hours(5) - 1, 1), (hours(5), 0)])
def test_one_while_a_parcel_of_its_order_is_stalled_is_linked_with_logistics(at: int, linked: int) -> None:
    stalled = hours(168)
    timeline = Timeline().shipped(0).scan("departed", 0).complained(stalled + at, order_id="A")
    timeline.scan("arrived", stalled + hours(5))
    assert timeline.heard(stalled + hours(9)).window()["logistics_linked"] == linked


def test_every_order_of_a_stalled_parcel_is_linked_and_no_other() -> None:
    timeline = Timeline().shipped(0, "A").shipped(0, "B").shipped(0, "C", number="X2").scan("delivered", 1, number="X2")
    for order in ("A", "B", "C"):
        timeline.disputed(hours(169), "D", order=order)
    assert timeline.heard(hours(171)).window()["logistics_linked"] == 2
