"""Every event of the contract: its topic, its record key, and what it leaves open."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.decode import decode
from schemas.events import CHATS, EVENTS, ORDERS, SCANS, record_key
from tests.unit.schemas.values import VALUES, value

CHAT_KEYS = [
    ("chat.message", {"conversation_id": "C"}, "C"),
    ("intervention.requested", {"intervention_id": "I"}, "I"),
    ("intervention.requested", {"intervention_id": "I", "conversation_id": "C"}, "C"),
    ("complaint.filed", {"complaint_id": "M"}, "M"),
    ("complaint.filed", {"complaint_id": "M", "conversation_id": "an unknown field"}, "M"),
    ("ticket.opened", {"ticket_id": "T"}, "T"),
    ("ticket.responded", {"ticket_id": "T"}, "T"),
    ("ticket.paused", {"ticket_id": "T"}, "T"),
    ("ticket.resumed", {"ticket_id": "T"}, "T"),
    ("escalation.voided", {"escalation_id": "E"}, "E"),
    ("escalation.voided", {"escalation_id": "E", "conversation_id": "C"}, "C"),
]


@pytest.mark.parametrize(("type_", "fields", "key"), CHAT_KEYS)
def test_a_chat_is_keyed_by_its_order_else_its_conversation_else_its_own_id(
    type_: str, fields: dict[str, Any], key: str
) -> None:
    for order_id, expected in (("A", "A"), (None, key)):
        event, _ = decode(CHATS, value(CHATS, type_, **{"conversation_id": None, **fields, "order_id": order_id}))
        assert record_key(event) == expected


@pytest.mark.parametrize(("topic", "type_"), [key for key in VALUES if key[0] != CHATS])
def test_orders_are_keyed_by_order_and_scans_by_tracking_number(topic: str, type_: str) -> None:
    event, _ = decode(topic, value(topic, type_))
    assert record_key(event) == ("A" if topic == ORDERS else "X1")


def test_the_values_here_are_all_the_events_of_the_contract() -> None:
    assert {
        (topic, str(struct.__struct_config__.tag)) for topic, structs in EVENTS.items() for struct in structs
    } == set(VALUES)
    assert len(VALUES) == 19
    assert {topic for topic, _ in VALUES} == {ORDERS, SCANS, CHATS}


@pytest.mark.parametrize(("topic", "type_"), list(VALUES))
def test_unknown_fields_are_ignored_and_a_platform_is_optional(topic: str, type_: str) -> None:
    plain, _ = decode(topic, value(topic, type_))
    assert plain.platform is None
    same, _ = decode(topic, value(topic, type_, platform=None, something={"deep": [1, None]}, text2=1.5))
    assert same == plain
    told, _ = decode(topic, value(topic, type_, platform="tmall"))
    assert told.platform == "tmall"
