"""The facts that a record of a platform proves, as fields of events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from schemas.events import ORDERS
from streams.adapt.lines import MAX_ID, Report, Settings
from streams.adapt.orders.entries import Entry, entries, text, texts, time
from streams.adapt.orders.records import Items, Paths, Record, Records, Rule
from streams.adapt.places import province, without_people
from streams.adapt.times import read_time, rfc3339
from streams.carriers import carrier_name

NO_CATEGORY = "uncategorised"
OTHER = "other"
"""The reason that is counted where a platform's is not known."""
_TIMES = frozenset({"ship_by", "deliver_by", "respond_by"})
_REGIONS = frozenset({"ship_to_region", "from_region", "to_region"})
_BY = {"carrier": ": give it by --carrier"}
_SPOILT = re.compile(r"\d[.,]\d+e\+\d+", re.IGNORECASE)
_LONGEST_REGION = 60
_MOST = 1e12
"""No order has so many pieces, nor is worth so much; nor is NaN less."""


class Fact(NamedTuple):
    """One event to be: at which moment, of which order ("" of none) and shop, with which other fields."""

    rule: Rule
    moment: datetime
    order: str
    shop: str
    fields: dict[str, Any]


class Lacking(Exception):
    """Why a fact cannot be told; it is left out, and counted by this."""


def id_of(what: str, told: str) -> str:
    """An id as it is told; "" for 0, by which platforms mean none. Lacking where it is too long, or was spoilt."""
    if len(told) > MAX_ID:
        raise Lacking(f"{what} of more than {MAX_ID} characters")
    if _SPOILT.fullmatch(told):
        raise Lacking(f"{what} like 7.83E+13, which a spreadsheet has rounded: export it as text")
    return told if told.strip("0") else ""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the facts of one format's records, and counts in `report` what they lack."""

    spec: Records
    settings: Settings
    report: Report

    def facts(self, record: Record, entry: Entry) -> Iterator[Fact]:
        """The facts that a record proves."""
        report = self.report
        try:
            order, shop = self._ids(record, entry)
        except Lacking as lacking:
            report.lacking[f"{record.what}s with {lacking}"] += 1
            report.refusals.append(str(lacking))
            return
        report.readable += 1
        proved = False
        for rule in record.rules:
            for inner in entries(entry, rule.each):
                if not rule.conditions.hold(inner):
                    continue
                proved = True
                try:
                    fact = self._fact(record, rule, inner, order, shop)
                except Lacking as lacking:
                    report.lacking[f"{rule.type} of {record.what}s: {lacking}"] += 1
                else:
                    if fact is not None:
                        yield fact
        why = next((why for conditions, why in record.left_out if conditions.hold(entry)), None)
        if why is not None:
            report.left_out[why] += 1
        elif not proved:
            report.left_out[f"{record.what}s that prove no event"] += 1

    def _ids(self, record: Record, entry: Entry) -> tuple[str, str]:
        order = id_of("an order number", text(entry, record.order))
        shop = id_of("a shop", text(entry, record.shop) or self.settings.shop or "")
        if not shop:
            raise Lacking("no shop: give it by --shop")
        return id_of("an order number", self._of_shop(shop, order)), shop

    def _of_shop(self, shop: str, own: str) -> str:
        return f"{shop}/{own}" if own and self.settings.by_shop else own

    def _fact(self, record: Record, rule: Rule, entry: Entry, order: str, shop: str) -> Fact | None:
        """The fact; None where nothing but its time would prove it, and there is none."""
        moment = self._moment(entry, rule.at)
        if moment is None:
            if rule.conditions.when:
                raise Lacking("no time")
            return None
        if self.settings.latest is not None and moment > self.settings.latest:
            raise Lacking("more than a day ahead of now")
        if not order and rule.topic == ORDERS:
            raise Lacking("no order number")
        told = {name: self._field(name, entry, paths) for name, paths in rule.fields.items()}
        fields = {name: value for name, value in told.items() if value is not None}
        if "buyer_id" in fields:
            fields["buyer_id"] = id_of("a buyer", self._of_shop(shop, fields["buyer_id"]))
        if rule.type == "order.placed":
            fields["items"] = _items(record.items, entry)
            if "buyer_id" not in fields:
                self.report.assumed[f"{record.what}s that name no buyer, each taken as a buyer's of its own"] += 1
                fields["buyer_id"] = f"order:{order}"[:MAX_ID]
        elif rule.type == "refund.requested":
            fields.setdefault("reason", OTHER)
        for name in rule.required:
            if name not in fields:
                raise Lacking(f"no {name}{_BY.get(name, '')}")
        return Fact(rule, moment, order, shop, fields)

    def _moment(self, entry: Entry, paths: Paths) -> datetime | None:
        told, in_utc = time(entry, paths)
        if told is None:
            return None
        try:
            return read_time(told, UTC if in_utc else self.settings.tz, self.settings.day_first)
        except ValueError as error:
            raise Lacking(str(error)) from error

    def _field(self, name: str, entry: Entry, paths: Paths) -> Any:
        """The value of an event's field; None where nothing is told."""
        if name in _TIMES:
            try:
                moment = self._moment(entry, paths)
            except Lacking:
                self.report.left_out[f"{name} that is no time"] += 1
                return None
            return None if moment is None else rfc3339(moment)
        if name == "carrier":
            return carrier_name(*texts(entry, paths)) or carrier_name(self.settings.carrier or "")
        if name == "kind":
            return self._kind(entry, paths)
        told = text(entry, paths)
        if name in _REGIONS:
            return (province(told) or told)[:_LONGEST_REGION] or None
        if name == "reason":
            return self._reason(told)
        if name == "commitment_days":
            return int(told) if told.isdecimal() and told.isascii() and len(told) < 6 else None
        return id_of(name, told) or None

    def _kind(self, entry: Entry, paths: Paths) -> str:
        told = list(texts(entry, paths))
        kind = next(
            (self.spec.kind_of[one] for one in (*told, *([] if told else [""])) if one in self.spec.kind_of), None
        )
        if kind is None and (kind := self.spec.kind_of.get("*")):
            self.report.assumed[f"kinds that are not known, taken as {kind}"] += 1
        if kind is None:
            raise Lacking(f"kind {told[0][:40]!r} is not known" if told else "no kind")
        return kind

    def _reason(self, told: str) -> str:
        code = self.spec.reason(told)
        if code is None and told:
            self.report.reasons[without_people(told)] += 1
        return code or OTHER


def _items(items: Items, entry: Entry) -> list[dict[str, Any]]:
    """The lines of an order, those of one item and category together. Lacking where it has none."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for line in entries(entry, items.each):
        item = id_of("item_id", text(line, items.item_id))
        category = id_of("category_id", text(line, items.category_id)) or NO_CATEGORY
        quantity = _number(text(line, items.quantity) or "1")
        if not item or quantity is None or quantity < 1:
            continue
        amount = _number(text(line, items.amount))
        if amount is None and (price := _number(text(line, items.price))) is not None:
            amount = price * quantity
        known = found.get((item, category))
        if known is None:
            known = found[item, category] = {"item_id": item, "category_id": category, "quantity": 0, "amount": 0.0}
        known["quantity"] += int(quantity)
        if amount is None or "amount" not in known:
            known.pop("amount", None)
        else:
            known["amount"] = round(known["amount"] + (amount / 100 if items.cents else amount), 2)
    if not found:
        raise Lacking("no items")
    return list(found.values())


def _number(told: str) -> float | None:
    try:
        number = float(told.replace(",", "").lstrip("¥￥$€£ "))
    except ValueError:
        return None
    return number if abs(number) < _MOST else None
