"""From the bytes of a record to an event, or to the reason why it is none.

One decode and validation pass for what is valid; what is not is looked at again, to say exactly what is wrong.
The detail never quotes a value: a value may hold personal data.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec

from schemas import events
from schemas.times import HOUR, parse

MAX_BYTES = 65_536
#: How far an event may lie ahead of its record's own timestamp, in microseconds.
MAX_AHEAD = 24 * HOUR


class Reason(StrEnum):
    """Why a record is a dead letter; the `error-code` header and column."""

    NOT_JSON = "not_json"
    NOT_OBJECT = "not_object"
    TOO_LARGE = "too_large"
    UNKNOWN_TOPIC = "unknown_topic"
    UNKNOWN_TYPE = "unknown_type"
    MISSING_FIELD = "missing_field"
    ILL_TYPED_FIELD = "ill_typed_field"
    UNKNOWN_VALUE = "unknown_value"
    BAD_TIME = "bad_time"
    FROM_THE_FUTURE = "from_the_future"
    WRONG_KEY = "wrong_key"
    WRONG_PARTITION = "wrong_partition"


class Invalid(Exception):
    """A record that is no event: it goes to the dead letters, is counted, and the stream goes on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _NoScan(events.Scan, tag="\0", kw_only=True):
    """Never decoded. It makes the scans a union, which must tell its tag; a lone struct need not."""

    never: Annotated[int, msgspec.Meta(gt=1, lt=1)]


_DECODE: dict[str, Callable[[bytes], events.AnyEvent]] = {
    events.ORDERS: msgspec.json.Decoder(events.OrdersEvent).decode,
    events.SCANS: msgspec.json.Decoder(events.Scan | _NoScan).decode,
    events.CHATS: msgspec.json.Decoder(events.ChatsEvent).decode,
}


#: Fields that hold a time beside `occurred_at`.
_OTHER_TIMES: dict[type[events.Event], str] = {events.OrderPaid: "ship_by", events.TicketOpened: "respond_by"}


def decode(topic: str, value: bytes, now: int | None = None) -> tuple[events.AnyEvent, int]:
    """The event in `value` and its time in microseconds. Raises Invalid.

    `now`: the record's own timestamp in microseconds, where there is one to compare with.
    """
    if len(value) > MAX_BYTES:
        raise Invalid(Reason.TOO_LARGE, f"{len(value)} bytes, at most {MAX_BYTES} are allowed")
    try:
        if not value.isascii():
            # The decoder passes over the text of fields that it does not know.
            value.decode()
        event = _DECODE[topic](value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _reason(topic, value, error) from None
    try:
        occurred_at = parse(event.occurred_at)
    except ValueError as error:
        raise Invalid(Reason.BAD_TIME, f"occurred_at: {error}") from None
    if now is not None and occurred_at > now + MAX_AHEAD:
        raise Invalid(Reason.FROM_THE_FUTURE, "occurred_at: more than 24 hours ahead of the record's timestamp")
    other = _OTHER_TIMES.get(type(event))
    if other is not None:
        _check_time(other, getattr(event, other))
    return event, occurred_at


def _check_time(field: str, text: str | None) -> None:
    try:
        if text is not None:
            parse(text)
    except ValueError as error:
        raise Invalid(Reason.BAD_TIME, f"{field}: {error}") from None


def _reason(topic: str, value: bytes, error: Exception) -> Invalid:
    """Looks again at a value that did not decode."""
    try:
        plain = msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Invalid(Reason.NOT_JSON, "not one JSON value in UTF-8")
    if not isinstance(plain, dict):
        return Invalid(Reason.NOT_OBJECT, "a JSON value, but not an object")
    tag = plain.get("type")
    if tag is None:
        return Invalid(Reason.MISSING_FIELD, "type: missing")
    if not isinstance(tag, str):
        return Invalid(Reason.ILL_TYPED_FIELD, "type: not a string")
    if not any(struct.__struct_config__.tag == tag for struct in events.EVENTS[topic]):
        return Invalid(Reason.UNKNOWN_TYPE, f"type: none of the topic {topic}")
    text = str(error)
    field = text.rpartition("`$.")[2].rstrip("`") if "`$." in text else ""
    if "missing required field" in text:
        name = text.split("`")[1]
        return Invalid(Reason.MISSING_FIELD, f"{field + '.' if field else ''}{name}: missing")
    if "Invalid enum value" in text:
        return Invalid(Reason.UNKNOWN_VALUE, f"{field}: none of the values allowed")
    what = text.partition(" - at ")[0]
    return Invalid(Reason.ILL_TYPED_FIELD, f"{field}: {what}" if field else what)
