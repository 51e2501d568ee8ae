"""Makes the events of the orders in a platform's documents."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from streams.adapt.lines import MAX_ID, Line, Report, Settings
from streams.adapt.orders.entries import Entry
from streams.adapt.orders.facts import Fact, Teller
from streams.adapt.orders.records import TYPES, Records
from streams.adapt.reading import Found, lists_in, objects, reason
from streams.adapt.times import rfc3339

_OF_ITS_OWN = ("refund_id", "dispute_id", "ticket_id", "complaint_id", "intervention_id")
"""The fields that name what an event is of, where that is not the order."""
_RANK = {type_: rank for rank, type_ in enumerate(TYPES)}


def orders_of(
    name: str, spec: Records, found: Iterable[Found], file: str, settings: Settings, report: Report
) -> Iterator[Line]:
    """The events in the documents of one file or body, in the order of their times, each fact once.

    `name` is the format's. Documents told later may tell a fact again: the earliest time holds. An event's id is a
    function of what it tells, so that another document with the same fact gives the same id.
    """
    teller = Teller(spec, settings, report)
    told: dict[str, tuple[datetime, Line]] = {}
    for document in found:
        records = list(objects(document, lambda value: spec.of(value) is not None))
        if not records:
            why = reason(document.value)
            report.refusals.append(why or "no orders")
            report.problem(
                file, document.where, f"nothing of the format {name} in it{f': {why}' if why else lists_in(document)}"
            )
        for record in records:
            for fact in _facts(teller, record):
                line = Line(fact.rule.topic, _value(name, fact))
                before = told.get(line.value["event_id"])
                report.repeats += before is not None
                if before is None or fact.moment < before[0]:
                    told[line.value["event_id"]] = (fact.moment, line)
    for _, line in sorted(told.values(), key=lambda one: (one[0], _RANK[one[1].value["type"]])):
        report.count(line)
        yield line


def _facts(teller: Teller, found: Found) -> Iterator[Fact]:
    record = teller.spec.of(found.value)
    return iter(()) if record is None else teller.facts(record, Entry(found.where, found.value, found.holders))


def _value(name: str, fact: Fact) -> dict[str, object]:
    value: dict[str, object] = {
        "event_id": _identity(name, fact),
        "type": fact.rule.type,
        "occurred_at": rfc3339(fact.moment),
    }
    if fact.order:
        value["order_id"] = fact.order
    value["shop_id"] = fact.shop
    return value | fact.fields


def _identity(name: str, fact: Fact) -> str:
    """The same for the same fact, whenever and however often it is told."""
    fields = fact.fields
    if fact.rule.type == "order.shipped":
        own = f"{fields['carrier']}:{fields['tracking_no']}"
    else:
        own = next((str(fields[one]) for one in _OF_ITS_OWN if one in fields), "")
    whole = ":".join(part for part in (name, fact.order, fact.rule.type, own) if part)
    if len(whole) <= MAX_ID:
        return whole
    return f"{name}:{hashlib.sha256(whole.encode()).hexdigest()}"
