"""What a format says of orders: the records that a platform's documents hold, and the events that each proves.

    [[record]]
    what = "order"                 # its name in messages
    mark = ["tid", "orders|num"]   # an object with all of these is one; | either
    order = ["tid"]                # paths of the order's id, and of the shop's; see `entries`
    shop = ["seller_nick"]

    [record.items]                 # the lines of an order, for order.placed
    each = ["orders[]"]
    item_id = ["num_iid"]
    cents = true                   # `amount` counts hundredths

    [[record.event]]
    type = "order.paid"            # with its fields by their names in the schema, each a path or several
    at = ["pay_time"]
    when = { status = ["PAID"] }   # what is said at a path; "*" anything. `unless` is the opposite
    each = ["parcels[]"]           # an event for each of these entries

    [[record.left_out]]            # what such a record cannot tell, counted by `why`
    when = { topic = ["created"] }
    why = "messages without items"

`[kinds]` and `[reasons]` turn a platform's words and codes into ours: a kind that is equal ("" stands for none, "*" for
any other), the first reason that is contained. An event without a time is silent where nothing but its time would
prove it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from schemas.events import CHATS, EVENTS, ORDERS, Event
from streams.adapt.orders.columns import Columns, columns
from streams.adapt.orders.entries import Entry, Object, checked, held_at, said
from streams.adapt.orders.reasons import REASONS
from streams.adapt.reading import Found, objects
from streams.adapt.reading.paths import value_at

Paths = tuple[str, ...]
_UNTOLD = frozenset({"chat.message", "escalation.voided"})
"""Texts do not go out, and which of the platform's decisions voids is for its people to say."""
_BY_TYPE: dict[str, tuple[str, type[Event]]] = {
    str(event.__struct_config__.tag): (topic, event)
    for topic in (ORDERS, CHATS)
    for event in EVENTS[topic]
    if event.__struct_config__.tag not in _UNTOLD
}
TYPES = tuple(_BY_TYPE)
"""The types that a format may tell, in the order in which an order goes through them."""
_OWN = frozenset({"event_id", "type", "occurred_at", "platform", "order_id", "shop_id", "items"})
_ASSUMED = frozenset({"reason", "buyer_id"})
"""What an event has whatever is told: the reason `other`, the order's number in place of the buyer."""
_RULE = frozenset({"type", "at", "when", "unless", "each"})
_RECORD = frozenset({"what", "mark", "order", "shop", "items", "event", "left_out"})
_ITEM = frozenset({"each", "item_id", "category_id", "quantity", "amount", "price", "cents"})


@dataclass(frozen=True, slots=True)
class Conditions:
    """`when` and `unless`: what has to be, and may not be, said at paths, by one entry of a list; "*" is anything."""

    when: tuple[tuple[str, frozenset[str]], ...] = ()
    unless: tuple[tuple[str, frozenset[str]], ...] = ()

    def hold(self, entry: Entry) -> bool:
        """Whether they hold of an entry."""
        return all(_told(entry, *one) for one in self.when) and not any(_told(entry, *one) for one in self.unless)


def _told(entry: Entry, path: str, texts: frozenset[str]) -> bool:
    held = held_at(entry, path)
    told = {said(one) for one in (held if isinstance(held, list) else [held])} - {""}
    return bool(told and "*" in texts) or not told.isdisjoint(texts)


@dataclass(frozen=True, slots=True)
class Rule:
    """An event that a record proves: at what time, under which conditions, for each of which entries.

    `required` are the fields without which there is no event.
    """

    type: str
    topic: str
    at: Paths
    fields: Mapping[str, Paths]
    required: tuple[str, ...]
    conditions: Conditions
    each: Paths = ()


@dataclass(frozen=True, slots=True)
class Items:
    """Where the lines of an order are; `price` is that of one piece, `cents`: amounts are hundredths."""

    each: Paths = ()
    item_id: Paths = ()
    category_id: Paths = ()
    quantity: Paths = ()
    amount: Paths = ()
    price: Paths = ()
    cents: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of object in a platform's documents."""

    what: str
    mark: tuple[tuple[str, ...], ...]
    order: Paths
    shop: Paths
    items: Items
    rules: tuple[Rule, ...]
    left_out: tuple[tuple[Conditions, str], ...]

    def fits(self, value: Object) -> bool:
        """Whether an object is such a record."""
        return all(any(value_at(value, one) is not None for one in either) for either in self.mark)


@dataclass(frozen=True, slots=True)
class Records:
    """All that a format says of orders. With `rows` its documents are rows of these columns; see `columns`."""

    kinds: tuple[Record, ...]
    kind_of: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    rows: Columns | None = None

    def of(self, value: Object) -> Record | None:
        """The record that an object is."""
        return next((record for record in self.kinds if record.fits(value)), None)

    def in_document(self, document: Found) -> bool:
        """Whether a document has any record."""
        return next(objects(document, lambda value: self.of(value) is not None), None) is not None

    def reason(self, text: str) -> str | None:
        """Our code of a reason; None for one that is not known."""
        plain = text.casefold()
        if plain in self.reasons.values() or plain in REASONS.values():
            return plain
        return next((code for words, code in (*self.reasons.items(), *REASONS.items()) if words in plain), None)


def records(raw: Mapping[str, Any]) -> Records:
    """The records that a format's TOML describes. ValueError for what it may not hold."""
    tables = raw["record"]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("records are tables: [[record]]")
    return Records(
        tuple(map(_record, tables)),
        _words(raw, "kinds"),
        {words.casefold(): code for words, code in _words(raw, "reasons").items()},
        columns(raw),
    )


def _words(raw: Mapping[str, Any], name: str) -> dict[str, str]:
    given = raw.get(name, {})
    if not isinstance(given, dict) or not all(isinstance(to, str) for to in given.values()):
        raise ValueError(f"{name} is a table of the platform's words and ours: [{name}]")
    return dict(given)


def _known(what: str, table: Mapping[str, Any], names: frozenset[str]) -> None:
    for given in table:
        if given not in names:
            raise ValueError(f"{what} has no {given!r}; it has {', '.join(sorted(names))}")


def _record(table: Mapping[str, Any]) -> Record:
    _known("a record", table, _RECORD)
    rules = _tables(table, "event")
    if not rules:
        raise ValueError("a record has no [[record.event]], which says what it proves")
    items = table.get("items", {})
    if not isinstance(items, dict):
        raise ValueError("items of a record is a table: [record.items]")  # noqa: TRY004  it is in the file
    _known("items", items, _ITEM)
    paths = {name: _paths(items, name) for name in _ITEM - {"cents"}}
    return Record(
        what=str(table.get("what", "record")),
        mark=tuple(tuple(path.split("|")) for path in _paths(table, "mark")),
        order=_paths(table, "order"),
        shop=_paths(table, "shop"),
        items=Items(**paths, cents=items.get("cents") is True),
        rules=tuple(map(_rule, rules)),
        left_out=tuple((_conditions(one), str(one.get("why", "records"))) for one in _tables(table, "left_out")),
    )


def _rule(table: Mapping[str, Any]) -> Rule:
    type_ = table.get("type")
    if type_ not in _BY_TYPE:
        raise ValueError(f"type of an event: {type_!r} is none of {', '.join(TYPES)}")
    topic, event = _BY_TYPE[type_]
    of_event = {one.name: one for one in msgspec.structs.fields(event) if one.name not in _OWN}
    _known(f"an event {type_}", table, _RULE | of_event.keys())
    if not table.get("at"):
        raise ValueError(f"an event {type_} has no at, the path of its time")
    required = tuple(name for name, one in of_event.items() if one.required and name not in _ASSUMED)
    for name in required:
        if name not in table:
            raise ValueError(f"an event {type_} has no {name}")
    each = _paths(table, "each")
    return Rule(
        type=type_,
        topic=topic,
        at=_paths(table, "at"),
        fields={name: _paths(table, name) for name in of_event if name in table},
        required=required,
        conditions=_conditions(table),
        each=tuple(map(checked, each)),
    )


def _tables(table: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    given = table.get(name, [])
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ValueError(f"{name} of a record is tables: [[record.{name}]]")
    return given


def _conditions(table: Mapping[str, Any]) -> Conditions:
    made: dict[str, tuple[tuple[str, frozenset[str]], ...]] = {}
    for name in ("when", "unless"):
        given = table.get(name, {})
        if not isinstance(given, dict):
            raise ValueError(f"{name} is a table of paths and what they may say")  # noqa: TRY004  it is in the file
        made[name] = tuple(
            (path, frozenset(map(str, texts if isinstance(texts, list) else [texts]))) for path, texts in given.items()
        )
    return Conditions(**made)


def _paths(table: Mapping[str, Any], name: str) -> Paths:
    given = table.get(name, [])
    paths = [given] if isinstance(given, str) else given
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        raise ValueError(f"{name} is a path or a list of paths, not {given!r}")
    return tuple(paths)
