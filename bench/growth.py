"""`python -m bench.growth`: whether the cost of one key grows with its events, or with their square.

Each flood is replayed with N, 2 N and 4 N events. A ratio near 2 is linear, near 4 quadratic; one above `LIMIT` is
marked, and the status is 1 then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random
from typing import Any

import orjson

from schemas.decode import decode
from schemas.times import DAY, HOUR, SECOND, parse, render
from streams.policy import load
from streams.stages.single_reader import SingleReader

#: More than this for twice the events is not linear.
LIMIT = 3.0
#: Events of the smallest flood; and between two looks at what is due.
LEAST, STEP = 3_000, 4_096

_T0 = parse("2026-03-02T00:00:00Z")
_ORDER, _PARCEL = {"order_id": "A", "shop_id": "S1"}, {"carrier": "SF", "tracking_no": "000000"}
_Told = tuple[str, str, int, dict[str, Any]]


def _messages(count: int) -> Iterator[_Told]:
    said = {**_ORDER, "conversation_id": "C", "sender": "buyer", "text": "平台介入"}
    return (("chats", "chat.message", at * SECOND, said) for at in range(count))


def _tickets(count: int) -> Iterator[_Told]:
    opened = {**_ORDER, "kind": "after_sales"}
    return (("chats", "ticket.opened", at * SECOND, {**opened, "ticket_id": f"K{at}"}) for at in range(count))


def _pauses(count: int) -> Iterator[_Told]:
    yield "chats", "ticket.opened", 0, {**_ORDER, "ticket_id": "K", "kind": "other"}
    for at in range(count):
        kind = "ticket.paused" if at % 2 else "ticket.resumed"
        yield "chats", kind, (at + 1) * SECOND, {**_ORDER, "ticket_id": "K"}


def _refunds(count: int) -> Iterator[_Told]:
    for at in range(count):
        asked = {**_ORDER, "refund_id": f"R{at}", "kind": "return_refund", "reason": "late"}
        yield "orders", "refund.requested", at * SECOND, asked


def _relabels(count: int) -> Iterator[_Told]:
    for at in range(count):
        yield "orders", "order.shipped", at * SECOND, {**_ORDER, "carrier": "SF", "tracking_no": f"T{at}"}


def _orders(count: int) -> Iterator[_Told]:
    for at in range(count):
        yield "orders", "order.shipped", at * SECOND, {"order_id": f"A{at}", "shop_id": "S1", **_PARCEL}


def _uses(count: int) -> Iterator[_Told]:
    for at in range(count // 2):
        shipped = {"order_id": f"A{at}", "shop_id": "S1", **_PARCEL}
        yield "orders", "order.shipped", 2 * at * HOUR, shipped
        yield "logistics-scans", "scan", (2 * at + 1) * HOUR, {**_PARCEL, "status": "delivered"}


def _scans(count: int) -> Iterator[_Told]:
    random = Random(1)
    for at in range(count):
        status = random.choice(("departed", "arrived", "held", "info_received", "delivered"))
        yield "logistics-scans", "scan", at * SECOND, {**_PARCEL, "status": status}


def _late_scans(count: int) -> Iterator[_Told]:
    random = Random(1)
    yield "logistics-scans", "scan", 20 * DAY, {**_PARCEL, "tracking_no": "T", "status": "arrived"}
    for _ in range(count):
        yield "logistics-scans", "scan", random.randrange(10 * DAY), {**_PARCEL, "status": "departed"}


def _requests(count: int) -> Iterator[_Told]:
    for at in range(count):
        asked = {"shop_id": "S1", "conversation_id": "C", "intervention_id": f"I{at}"}
        yield "chats", "intervention.requested", at * SECOND, asked


def _voided(count: int) -> Iterator[_Told]:
    for at in range(count // 2):
        yield "orders", "dispute.opened", at * SECOND, {**_ORDER, "dispute_id": f"D{at}"}
    for at in range(count // 2):
        told = {**_ORDER, "escalation": "dispute", "escalation_id": f"D{at}", "reason": "spam"}
        yield "orders", "escalation.voided", (count + at) * SECOND, told


def _refunds_and_tickets(count: int) -> Iterator[_Told]:
    for told in zip(_refunds(count // 2), _tickets(count // 2), strict=True):
        yield from told


FLOODS: dict[str, Callable[[int], Iterator[_Told]]] = {
    "messages of one order": _messages,
    "tickets of one order": _tickets,
    "pauses of one ticket": _pauses,
    "refunds of one order": _refunds,
    "parcels of one order": _relabels,
    "orders of one number": _orders,
    "requests of a conversation": _requests,
    "voidings of one order": _voided,
    "refunds and tickets": _refunds_and_tickets,
    "uses of one number": _uses,
    "scans of one number": _scans,
    "late scans of one number": _late_scans,
}


def seconds(told: Iterator[_Told]) -> float:
    """What a replay of these takes of a processor, without reading and decoding."""
    events = []
    for number, (topic, type_, at, fields) in enumerate(told):
        value = orjson.dumps({"event_id": f"e{number}", "type": type_, "occurred_at": render(_T0 + at), **fields})
        events.append((topic, *decode(topic, value), value))
    reader = SingleReader(load.default())
    began = time.process_time()
    for number, (topic, event, at, value) in enumerate(events, 1):
        reader.take(topic, event, at, value)
        if not number % STEP:
            reader.settle()
    reader.finish(reader.greatest + 30 * DAY)
    return time.process_time() - began


def main() -> int:
    """Prints a line for each flood; 1 where one is not linear."""
    status = 0
    # Phrase lists and classes are prepared once, by whoever comes first.
    seconds(_messages(10))
    for name, flood in FLOODS.items():
        took = [seconds(flood(LEAST * factor)) for factor in (1, 2, 4)]
        ratios = [after / before for before, after in pairwise(took)]
        mark = " not linear" if ratios[-1] > LIMIT else ""
        status |= bool(mark)
        shown = " ".join(f"{each:7.3f} s" for each in took)
        print(f"{name:26}{shown}   ratios {' '.join(f'{ratio:.1f}' for ratio in ratios)}{mark}", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
