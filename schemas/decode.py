"""Decodes a record's bytes into an event, or into the reason why it is invalid.

The usual case takes a single pass of decoding and validation. Values that fail are read again: some are valid all the
same (a duplicate name, half an emoji), and for the others this finds the exact reason. The detail consists of
this module's words and the schemas' names only, never of the data, which may be personal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import msgspec

from schemas import events, json_text
from schemas.times import HOUR, parse

MAX_BYTES = 65_536
#: How far an event may lie ahead of its record's own timestamp, in microseconds.
MAX_AHEAD = 24 * HOUR
#: Days longer than the calendar: to promise more changes nothing.
FOR_EVER = 4_000_000


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
    KEY_TOO_LARGE = "key_too_large"


class Invalid(Exception):
    """An invalid record: it becomes a dead letter, is counted, and the stream goes on."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class KeyTooLarge(Invalid):
    """An event whose key holds as much as a worker can keep for one key."""

    def __init__(self, most: int) -> None:
        super().__init__(Reason.KEY_TOO_LARGE, f"the key holds {most} events already, which is all that is kept of one")


class _NoScan(events.Scan, tag="\0", kw_only=True):
    """Never decoded. It makes the scans a union, which must tell its tag; a lone struct need not."""

    never: Annotated[int, msgspec.Meta(gt=1, lt=1)]


#: By topic, what turns a value into an event whose fields are valid, or raises; `decode` makes more of both.
DECODERS: dict[str, Callable[[bytes], events.AnyEvent]] = {
    events.ORDERS: msgspec.json.Decoder(events.OrdersEvent).decode,
    events.SCANS: msgspec.json.Decoder(events.Scan | _NoScan).decode,
    events.CHATS: msgspec.json.Decoder(events.ChatsEvent).decode,
}


#: Fields that hold a time beside `occurred_at`.
_OTHER_TIMES: dict[type[events.Event], str] = {
    events.OrderPaid: "ship_by",
    events.OrderShipped: "deliver_by",
    events.TicketOpened: "respond_by",
}


_NO_TIME = "not an RFC 3339 time with an offset, from the year 1 to 9999 in UTC"
_OUT_OF_RANGE = "a number beyond a double's range"

#: What may be said of a field: words of the decoder, and names that the schemas give.
_STRUCTS: list[type[msgspec.Struct]] = [events.Item, *(kind for kinds in events.EVENTS.values() for kind in kinds)]
_NAMES = "|".join(sorted({field for struct in _STRUCTS for field in struct.__struct_fields__}))
_PATH = re.compile(rf"(?:\.(?:{_NAMES})|\[[0-9]+\])*")
_MISSING = re.compile(rf"Object missing required field `({_NAMES})`")
_KINDS = "str|int|float|bool|null|array|object"
_EXPECTED = re.compile(
    rf"Expected `(?:{_KINDS})(?: \| null)?`(?: of length)?(?: [<>=]+ [0-9.]+)?(?:, got `(?:{_KINDS})`)?"
)


def decode(topic: str, value: bytes, now: int | None = None) -> tuple[events.AnyEvent, int]:
    """The event in `value` and its time in microseconds. Raises Invalid.

    `now`: the record's own timestamp in microseconds, where there is one to compare with.
    """
    if len(value) > MAX_BYTES:
        raise Invalid(Reason.TOO_LARGE, f"more than the {MAX_BYTES} bytes that are allowed")
    try:
        if not value.isascii():
            # The decoder passes over the text of fields that it does not know.
            value.decode()
        event = DECODERS[topic](value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        event = _decode_slowly(topic, value)
    try:
        occurred_at = parse(event.occurred_at)
    except ValueError:
        raise Invalid(Reason.BAD_TIME, f"occurred_at: {_NO_TIME}") from None
    if now is not None and occurred_at > now + MAX_AHEAD:
        raise Invalid(Reason.FROM_THE_FUTURE, "occurred_at: more than 24 hours ahead of the record's timestamp")
    if type(event) in CHECKED:
        check(event)
    return event, occurred_at


#: Events of which more has to be looked at than each field by itself.
CHECKED = frozenset({events.OrderPlaced, *_OTHER_TIMES})


def check(event: events.AnyEvent) -> None:
    """Checks one of CHECKED beyond what its decoder does. Raises Invalid."""
    kind = type(event)
    if kind is events.OrderPlaced:
        _check_numbers(event)  # type: ignore[arg-type]
    else:
        _check_time(_OTHER_TIMES[kind], getattr(event, _OTHER_TIMES[kind]))


def _check_time(field: str, text: str | None) -> None:
    try:
        if text is not None:
            parse(text)
    except ValueError:
        raise Invalid(Reason.BAD_TIME, f"{field}: {_NO_TIME}") from None


def _check_numbers(event: events.OrderPlaced) -> None:
    """The decoder takes whole numbers of any size. A promise is cut to what fits into a row."""
    if event.commitment_days is not None and event.commitment_days > FOR_EVER:
        if event.commitment_days > json_text.GREATEST:
            raise Invalid(Reason.ILL_TYPED_FIELD, f"commitment_days: {_OUT_OF_RANGE}")
        event.commitment_days = FOR_EVER
    for place, item in enumerate(event.items):
        if item.quantity > json_text.GREATEST:
            raise Invalid(Reason.ILL_TYPED_FIELD, f"items[{place}].quantity: {_OUT_OF_RANGE}")


def _decode_slowly(topic: str, value: bytes) -> events.AnyEvent:
    """The event in a value that the fast pass rejected. Raises Invalid."""
    try:
        plain = json_text.value_of(value)
    except ValueError:
        raise Invalid(Reason.NOT_JSON, "not one JSON value in UTF-8") from None
    if not isinstance(plain, dict):
        raise Invalid(Reason.NOT_OBJECT, "a JSON value, but not an object")
    tag = plain.get("type")
    if tag is None:
        raise Invalid(Reason.MISSING_FIELD, "type: missing")
    if not isinstance(tag, str):
        raise Invalid(Reason.ILL_TYPED_FIELD, "type: not a string")
    kind = next((kind for kind in events.EVENTS[topic] if kind.__struct_config__.tag == tag), None)
    if kind is None:
        raise Invalid(Reason.UNKNOWN_TYPE, f"type: none of the topic {topic}")
    try:
        return msgspec.convert(plain, kind)  # type: ignore[return-value]
    except msgspec.ValidationError as error:
        raise _told(str(error)) from None


def _told(error: str) -> Invalid:
    """What the decoder's words say, in those that are allowed."""
    what, _, where = error.partition(" - at ")
    path = where.strip("`").removeprefix("$")
    field = path.removeprefix(".") if _PATH.fullmatch(path) else ""
    missing = _MISSING.fullmatch(what)
    if missing is not None:
        return Invalid(Reason.MISSING_FIELD, f"{field}.{missing[1]}: missing".removeprefix("."))
    if what.startswith("Invalid enum value"):
        return Invalid(Reason.UNKNOWN_VALUE, f"{field}: none of the values allowed")
    if json_text.OutOfRange.__name__ in what:
        return Invalid(Reason.ILL_TYPED_FIELD, f"{field}: {_OUT_OF_RANGE}")
    return Invalid(Reason.ILL_TYPED_FIELD, f"{field}: {what if _EXPECTED.fullmatch(what) else 'not what is expected'}")
