"""What is no event, and why; and what is one all the same."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from schemas.decode import MAX_BYTES, Invalid, Reason, decode
from schemas.events import CHATS, ORDERS, SCANS, ChatMessage, OrderPaid
from schemas.times import HOUR, parse
from tests.unit.schemas.values import AT, GONE, ITEM, VALUES, fields, value

#: A value that must never be told: it may be a name, a phone number, an address.
PERSONAL = "13800001111-secret"


def refused(topic: str, raw: bytes, now: int | None = None) -> Invalid:
    with pytest.raises(Invalid) as caught:
        decode(topic, raw, now)
    return caught.value


def why(topic: str, type_: str, **changes: Any) -> tuple[Reason, str]:
    """The reason, and the field that the detail names."""
    found = refused(topic, value(topic, type_, **changes))
    return found.reason, found.detail.partition(":")[0]


@pytest.mark.parametrize(("topic", "type_"), list(VALUES))
def test_every_event_with_its_least_fields_is_valid(topic: str, type_: str) -> None:
    _, at = decode(topic, value(topic, type_))
    assert at == parse(AT)


MUST = [(topic, type_, name) for topic, type_ in VALUES for name in fields(topic, type_)]


@pytest.mark.parametrize(("topic", "type_", "name"), MUST)
def test_each_of_these_fields_must_be_there_and_null_is_not_there(topic: str, type_: str, name: str) -> None:
    assert why(topic, type_, **{name: GONE}) == (Reason.MISSING_FIELD, name)
    reason, told = why(topic, type_, **{name: None})
    assert reason in (Reason.MISSING_FIELD, Reason.ILL_TYPED_FIELD, Reason.UNKNOWN_VALUE)
    assert told == name


@pytest.mark.parametrize(("topic", "type_", "name"), MUST)
@pytest.mark.parametrize("other", [7, 1.5, True, [], {}, ["x"]], ids=repr)
def test_each_of_them_must_be_of_its_type(topic: str, type_: str, name: str, other: Any) -> None:
    assert why(topic, type_, **{name: other})[0] in (Reason.ILL_TYPED_FIELD, Reason.UNKNOWN_VALUE)


OPTIONAL = [
    (ORDERS, "order.placed", "ship_to_region", "浙江"),
    (ORDERS, "order.placed", "commitment_days", 0),
    (ORDERS, "order.paid", "ship_by", "2026-11-09T00:00:00Z"),
    (ORDERS, "order.shipped", "from_region", "浙江"),
    (ORDERS, "order.shipped", "to_region", "浙江"),
    (ORDERS, "order.shipped", "deliver_by", "2026-11-09T00:00:00Z"),
    (ORDERS, "refund.requested", "item_id", "i1"),
    (ORDERS, "dispute.opened", "item_id", "i1"),
    (SCANS, "scan", "facility", "F"),
    (SCANS, "scan", "region", "浙江"),
    (SCANS, "scan", "note", "n"),
    (CHATS, "chat.message", "order_id", "A"),
    (CHATS, "intervention.requested", "conversation_id", "C"),
    (CHATS, "intervention.requested", "item_id", "i1"),
    (CHATS, "complaint.filed", "item_id", "i1"),
    (CHATS, "ticket.opened", "respond_by", "2026-11-09T00:00:00Z"),
    (CHATS, "escalation.voided", "conversation_id", "C"),
]


@pytest.mark.parametrize(("topic", "type_", "name", "good"), OPTIONAL)
def test_an_optional_field_may_be_there_or_null_and_must_be_of_its_type(
    topic: str, type_: str, name: str, good: Any
) -> None:
    told, _ = decode(topic, value(topic, type_, **{name: good}))
    assert getattr(told, name) == good
    absent, _ = decode(topic, value(topic, type_))
    null, _ = decode(topic, value(topic, type_, **{name: None}))
    assert null == absent
    assert why(topic, type_, **{name: [good]}) == (Reason.ILL_TYPED_FIELD, name)


IDS = [
    (topic, type_, name)
    for topic, type_, name in MUST
    if name in ("event_id", "order_id", "shop_id", "tracking_no", "carrier") or name.endswith("_id")
]


@pytest.mark.parametrize(("topic", "type_", "name"), IDS)
def test_an_id_has_1_to_128_characters(topic: str, type_: str, name: str) -> None:
    for good in ("x", "x" * 128, "单" * 128, "\U0001f4e6" * 128, " "):
        decode(topic, value(topic, type_, **{name: good}))
    for bad in ("", "x" * 129, "单" * 129, "\U0001f4e6" * 129):
        assert why(topic, type_, **{name: bad}) == (Reason.ILL_TYPED_FIELD, name)


@pytest.mark.parametrize("name", ["item_id", "category_id"])
def test_an_id_of_an_item_too(name: str) -> None:
    decode(ORDERS, value(ORDERS, "order.placed", items=[{**ITEM, name: "x" * 128}]))
    for bad in ("", "x" * 129, 5):
        found = refused(ORDERS, value(ORDERS, "order.placed", items=[ITEM, {**ITEM, name: bad}]))
        assert found.reason is Reason.ILL_TYPED_FIELD
        assert name in found.detail


@pytest.mark.parametrize("name", ["item_id", "category_id", "quantity"])
def test_an_item_lacks_no_field(name: str) -> None:
    found = refused(ORDERS, value(ORDERS, "order.placed", items=[{k: v for k, v in ITEM.items() if k != name}]))
    assert found.reason is Reason.MISSING_FIELD
    assert name in found.detail


@pytest.mark.parametrize("items", [[], {}, "i1", [None], ["i1"], [[]], 5])
def test_an_order_has_one_item_or_more(items: Any) -> None:
    assert why(ORDERS, "order.placed", items=items)[0] is Reason.ILL_TYPED_FIELD


@pytest.mark.parametrize("raw", ["1.0", "1.5", '"1"', "true", "0", "-1", "1e0", "1E2", "null", "[1]"])
def test_a_quantity_is_an_integer_of_one_or_more(raw: str) -> None:
    text = value(ORDERS, "order.placed").decode().replace('"quantity": 1', f'"quantity": {raw}')
    assert refused(ORDERS, text.encode()).reason is Reason.ILL_TYPED_FIELD


@pytest.mark.parametrize("raw", ["1", "7", "1000000", "123456789012345678901234567890"])
def test_any_such_integer_will_do(raw: str) -> None:
    text = value(ORDERS, "order.placed").decode().replace('"quantity": 1', f'"quantity": {raw}')
    decode(ORDERS, text.encode())


@pytest.mark.parametrize(("raw", "valid"), [("0", True), ("7", True), ("0.0", False), ("7.0", False), ("-1", False)])
def test_commitment_days_are_an_integer_of_none_or_more(raw: str, valid: bool) -> None:
    text = value(ORDERS, "order.placed", commitment_days=99).decode().replace("99", raw)
    if valid:
        decode(ORDERS, text.encode())
    else:
        assert refused(ORDERS, text.encode()).reason is Reason.ILL_TYPED_FIELD


@pytest.mark.parametrize("amount", [0, 12, 12.5, -3.25, None])
def test_an_amount_is_any_number(amount: Any) -> None:
    decode(ORDERS, value(ORDERS, "order.placed", items=[{**ITEM, "amount": amount}]))


@pytest.mark.parametrize("amount", ["12", True, []])
def test_what_is_no_number_is_no_amount(amount: Any) -> None:
    found = refused(ORDERS, value(ORDERS, "order.placed", items=[{**ITEM, "amount": amount}]))
    assert found.reason is Reason.ILL_TYPED_FIELD


@pytest.mark.parametrize(
    ("topic", "type_", "name"),
    [
        (ORDERS, "refund.requested", "kind"),
        (ORDERS, "escalation.voided", "escalation"),
        (SCANS, "scan", "status"),
        (CHATS, "chat.message", "sender"),
        (CHATS, "ticket.opened", "kind"),
        (CHATS, "escalation.voided", "escalation"),
    ],
)
def test_an_unknown_value_is_named_as_such(topic: str, type_: str, name: str) -> None:
    for unknown in ("", "unknown", "Arrived", "buyer ", PERSONAL):
        assert why(topic, type_, **{name: unknown}) == (Reason.UNKNOWN_VALUE, name)


@pytest.mark.parametrize(("topic", "type_"), list(VALUES))
def test_an_event_of_another_topic_is_of_an_unknown_type(topic: str, type_: str) -> None:
    for other in (ORDERS, SCANS, CHATS):
        if (other, type_) not in VALUES:
            assert refused(other, value(topic, type_)).reason is Reason.UNKNOWN_TYPE


@pytest.mark.parametrize("type_", ["", "order.teleported", "Order.paid", "order.paid ", PERSONAL])
def test_an_unknown_type(type_: str) -> None:
    assert why(ORDERS, "order.paid", type=type_) == (Reason.UNKNOWN_TYPE, "type")


NOT_JSON = [
    b"", b" ", b"{", b"nonsense", b'{"type":"order.paid"', b"{'type':'order.paid'}", b'{"type":"order.paid",}',
    b"\xff\xfe", b'{"type":"\xff"}', b"{}{}", b"{} x", b"NaN", b"\xef\xbb\xbf{}", b'{"a":01}', b"[" * 60_000,
    b'{"a":' * 10_000, b'{"type":"order.paid"\x00}', b'{"a":"\n"}',
]  # fmt: skip


@pytest.mark.parametrize("raw", NOT_JSON, ids=lambda raw: repr(raw[:20]))
def test_what_is_not_json(raw: bytes) -> None:
    assert refused(ORDERS, raw).reason is Reason.NOT_JSON


def test_text_that_is_not_utf_8_is_not_json_wherever_it_stands() -> None:
    for before, after in ((b"late", b"\xff\xfe"), (b"late", b"\xc0\xaf"), (b"late", b"\xed\xa0\x80"), (b"R", b"\x80")):
        raw = value(ORDERS, "refund.requested").replace(before, after, 1)
        assert refused(ORDERS, raw).reason is Reason.NOT_JSON
    ignored = value(ORDERS, "order.paid", unknown="U").replace(b"U", b"\xff")
    assert refused(ORDERS, ignored).reason is Reason.NOT_JSON


@pytest.mark.parametrize("raw", [b"[]", b"[{}]", b"5", b'"text"', b"true", b"false", b"1.5"])
def test_json_that_is_no_object(raw: bytes) -> None:
    assert refused(ORDERS, raw).reason is Reason.NOT_OBJECT


def test_a_value_may_have_64_kib_and_not_a_byte_more() -> None:
    room = MAX_BYTES - len(value(CHATS, "chat.message", text=""))
    for spare, valid in ((-1, True), (0, True), (1, False)):
        raw = value(CHATS, "chat.message", text="x" * (room + spare))
        assert len(raw) == 65_536 + spare
        if valid:
            decode(CHATS, raw)
        else:
            assert refused(CHATS, raw).reason is Reason.TOO_LARGE


TIMES = [
    (ORDERS, "order.paid", "occurred_at"),
    (SCANS, "scan", "occurred_at"),
    (CHATS, "ticket.opened", "occurred_at"),
    (ORDERS, "order.paid", "ship_by"),
    (CHATS, "ticket.opened", "respond_by"),
]


@pytest.mark.parametrize(("topic", "type_", "name"), TIMES)
@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2026-11-03T08:15:00", "2026-11-03", "2026-02-30T00:00:00Z", "2026-11-03T08:15:60Z", PERSONAL],
)
def test_a_naive_or_unparsable_time(topic: str, type_: str, name: str, text: str) -> None:
    assert why(topic, type_, **{name: text}) == (Reason.BAD_TIME, name)


@pytest.mark.parametrize(("beside", "valid"), [(-1, True), (0, True), (1, False)])
def test_an_event_may_lie_24_hours_ahead_of_its_record_and_not_a_microsecond_more(beside: int, valid: bool) -> None:
    now = parse(AT) - 24 * HOUR - beside
    for topic, type_ in VALUES:
        if valid:
            decode(topic, value(topic, type_), now)
        else:
            assert refused(topic, value(topic, type_), now).reason is Reason.FROM_THE_FUTURE


def test_times_agreed_may_lie_ahead_and_an_event_may_be_old() -> None:
    now = parse(AT)
    decode(ORDERS, value(ORDERS, "order.paid", ship_by="2027-11-03T08:15:00Z"), now)
    decode(CHATS, value(CHATS, "ticket.opened", respond_by="2027-11-03T08:15:00Z"), now)
    decode(SCANS, value(SCANS, "scan", occurred_at="1999-01-01T00:00:00Z"), now)


ORDER = '"event_id":"e","occurred_at":"2026-01-01T00:00:00Z","order_id":"A","shop_id":"S1"'
CHAT = '"event_id":"e","occurred_at":"2026-01-01T00:00:00Z","shop_id":"S1","conversation_id":"C","sender":"buyer"'
SCAN = '"event_id":"e","occurred_at":"2026-01-01T00:00:00Z","tracking_no":"X1","carrier":"SF"'


@pytest.mark.parametrize(
    ("topic", "text", "field", "expected"),
    [
        (ORDERS, f'{{"type":"order.paid",{ORDER},"shop_id":"S2"}}', "shop_id", "S2"),
        (ORDERS, f'{{"type":"order.paid","shop_id":5,{ORDER}}}', "shop_id", "S1"),
        (ORDERS, f'{{"type":"order.paid","occurred_at":"?",{ORDER}}}', "shop_id", "S1"),
        (ORDERS, f'{{"type":"order.paid","ship_by":[[]],{ORDER},"ship_by":null}}', "ship_by", None),
        (SCANS, f'{{"type":"scan",{SCAN},"status":"{PERSONAL}","status":"held"}}', "status", "held"),
        (CHATS, f'{{"type":"chat.message",{CHAT},"text":"a","text":"b"}}', "text", "b"),
        # What the names are written with is not what they are.
        (CHATS, f'{{"type":"chat.message",{CHAT},"text":"a","t\\u0065xt":"b"}}', "text", "b"),
    ],
)
def test_of_a_name_given_twice_the_last_holds(topic: str, text: str, field: str, expected: object) -> None:
    event, _ = decode(topic, text.encode())
    assert getattr(event, field) == expected


@pytest.mark.parametrize("first", ["order.completed", "order.paid", PERSONAL, "scan"])
def test_of_a_type_given_twice_the_last_holds(first: str) -> None:
    event, _ = decode(ORDERS, f'{{"type":"{first}",{ORDER},"type":"order.paid"}}'.encode())
    assert type(event) is OrderPaid
    found = refused(ORDERS, f'{{"type":"order.paid",{ORDER},"type":"{PERSONAL}"}}'.encode())
    assert found.reason is Reason.UNKNOWN_TYPE
    assert PERSONAL not in found.detail


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"\ud83d", "\ufffd"),
        (r"\udc00\ud83d", "\ufffd\ufffd"),
        (r"找客服\ud83d", "找客服\ufffd"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (r"\ud83d\\ude00", "\ufffd\\ude00"),
    ],
)
def test_half_an_emoji_does_not_lose_a_message(text: str, read: str) -> None:
    event, _ = decode(CHATS, f'{{"type":"chat.message",{CHAT},"text":"{text}"}}'.encode())
    assert isinstance(event, ChatMessage)
    assert event.text == read


@pytest.mark.parametrize(
    "unknown",
    [
        r'"\ud800"',
        "1e999",
        "-1e999",
        "9" * 5_000,
        "[" * 30_000 + "]" * 30_000,
        '{"a":' * 9_000 + "1" + "}" * 9_000,
        '{"a":1,"a":2}',
        "null",
    ],
    ids=lambda text: text[:12],
)
def test_in_an_unknown_field_anything_is_allowed_that_is_json(unknown: str) -> None:
    event, _ = decode(ORDERS, f'{{"type":"order.paid",{ORDER},"x":{unknown}}}'.encode())
    assert type(event) is OrderPaid
    item = f'{{"item_id":"i","category_id":"c","quantity":1,"x":{unknown}}}'
    decode(ORDERS, f'{{"type":"order.placed",{ORDER},"buyer_id":"B","items":[{item}]}}'.encode())


@pytest.mark.parametrize(
    "unknown",
    [
        "NaN", "Infinity", "01", "1.", ".5", "-", "1e", "+1", r'"\q"', r'"\u12g4"', '"a\tb"', "'a'", "[1,]", "[,1]",
        "{1:2}",
        '{"a"}', '{"a":}', '{"a":1,}', "tru", "[" * 30_000 + "]" * 29_999, "[}", "{]", "1 2", ":", ",", "",
        "[" * 9_000 + "01" + "]" * 9_000,
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_in_an_unknown_field_what_is_no_json_is_not(unknown: str) -> None:
    assert refused(ORDERS, f'{{"type":"order.paid",{ORDER},"x":{unknown}}}'.encode()).reason is Reason.NOT_JSON


@pytest.mark.parametrize("field", ["quantity", "amount", "commitment_days"])
@pytest.mark.parametrize(
    ("number", "valid"),
    [
        (str(int(sys.float_info.max)), True),
        (str(int(sys.float_info.max) * 10), False),
        ("9" * 5_000, False),
        ("1e309", False),
        ("-1e309", False),
    ],
    ids=lambda told: str(told)[:9],
)
def test_a_number_beyond_a_double_in_a_known_field_is_ill_typed(field: str, number: str, valid: bool) -> None:
    numbers = {"quantity": "1", "amount": "1", "commitment_days": "1"} | {field: number}
    item = f'{{"item_id":"i","category_id":"c","quantity":{numbers["quantity"]},"amount":{numbers["amount"]}}}'
    days = numbers["commitment_days"]
    raw = f'{{"type":"order.placed",{ORDER},"buyer_id":"B","items":[{item}],"commitment_days":{days}}}'.encode()
    if valid:
        decode(ORDERS, raw)
    else:
        found = refused(ORDERS, raw)
        assert found.reason is Reason.ILL_TYPED_FIELD
        assert field in found.detail


@pytest.mark.parametrize(("topic", "type_"), list(VALUES))
def test_the_detail_never_quotes_a_value(topic: str, type_: str) -> None:
    found = []
    for name in fields(topic, type_):
        for bad in (PERSONAL * 10, [PERSONAL], {PERSONAL: PERSONAL}, "", 5, None):
            try:
                decode(topic, value(topic, type_, **{name: bad}))
            except Invalid as invalid:
                found.append(f"{invalid.detail} {invalid}")
    found.append(refused(topic, json.dumps([PERSONAL]).encode()).detail)
    found.append(refused(topic, PERSONAL.encode()).detail)
    found.append(refused(topic, value(topic, type_, event_id=[PERSONAL], **{PERSONAL: PERSONAL})).detail)
    found.append(refused(topic, value(topic, type_, note=PERSONAL)[:-1]).detail)
    text = value(topic, type_).decode()
    twice = [f'"{name}":"{PERSONAL}"' for name in ("type", "event_id", "occurred_at", PERSONAL)]
    for extra in (
        *twice,
        f'"occurred_at":"2026-02-31T13:80:00Z{PERSONAL}"',
        f'"x":1{PERSONAL}',
        f'"type":["{PERSONAL}"]',
    ):
        for told in (f"{{{extra},{text[1:]}", f"{text[:-1]},{extra}}}"):
            try:
                decode(topic, told.encode())
            except Invalid as invalid:
                found.append(f"{invalid.detail} {invalid}")
    assert len(found) > 14
    assert not [text for text in found if PERSONAL in text or PERSONAL[:11] in text]
    assert not [text for text in found if not text.strip() or "\n" in text]
