"""Records that are no events, of every kind, made from those that are."""

from __future__ import annotations

from collections.abc import Iterator

from bench.soak.orders import Event
from schemas.decode import MAX_BYTES, Reason
from schemas.events import CHATS, ORDERS, SCANS

#: One in so many is too large, by so many bytes; the others are of each other kind in turn.
_LARGE, _BEYOND = 100, 1_000
_TYPES = {ORDERS: b'"type":"order.', SCANS: b'"type":"sc', CHATS: b'"type":"ticket.'}
_KINDS = 8


def spoiled(event: Event, number: int) -> tuple[Event, Reason]:
    """The event as no event, and why it is none; `number` chooses how."""
    value = event.value
    if number % _LARGE == _LARGE - 1:
        return event._replace(value=b'{"note":"%s"}' % (b"." * (MAX_BYTES + _BEYOND))), Reason.TOO_LARGE
    match number % _KINDS:
        case 0:
            return event._replace(value=value[:-10]), Reason.NOT_JSON
        case 1:
            return event._replace(value=b"\xff\xfe" + value), Reason.NOT_JSON
        case 2:
            return event._replace(value=b"[%s]" % value), Reason.NOT_OBJECT
        case 3:
            begin = _TYPES[event.topic]
            return event._replace(value=value.replace(begin, begin + b"no-", 1)), Reason.UNKNOWN_TYPE
        case 4:
            return event._replace(value=value.replace(b'"event_id"', b'"id"', 1)), Reason.MISSING_FIELD
        case 5:
            return event._replace(
                value=value.replace(b'"event_id":"', b'"event_id":1,"id":"', 1)
            ), Reason.ILL_TYPED_FIELD
        case 6:
            return event._replace(value=value.replace(b"+08:00", b"", 1)), Reason.BAD_TIME
        case _:
            return event._replace(key=b"somebody else's"), Reason.WRONG_KEY


def mixed(events: Iterator[Event], dead: int) -> Iterator[tuple[Event, Reason | None]]:
    """Each event, with so many dead records behind it."""
    number = 0
    for event in events:
        yield event, None
        for _ in range(dead):
            yield spoiled(event, number)
            number += 1
