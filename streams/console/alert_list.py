"""Selects alerts by filter, and finds one alert with its history."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streams.console.store import SEVERITIES, Store
from streams.rules.alert_types import ALERT_TYPES

#: Alerts per page; terms of a search that are looked at, and most values offered of a field.
PAGE, TERMS, OFFERED = 50, 8, 300
#: The longest text of a filter.
_LONGEST = 200
_FIELDS = ("type", "shop", "carrier", "facility")
STATUSES = ("open", "resolved", "all")
ORDERS = ("severity", "time")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which alerts to show. A field is compared as a whole, of `text` all terms occur; `page` counts from 1."""

    type: str = ""
    severity: str = ""
    shop: str = ""
    carrier: str = ""
    facility: str = ""
    text: str = ""
    status: str = STATUSES[0]
    order: str = ORDERS[0]
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """From an address; what makes no sense counts as not given."""
        given = {name: query.get(name, "").strip()[:_LONGEST] for name in (*_FIELDS, "severity", "text")}
        if given["severity"] not in SEVERITIES:
            given["severity"] = ""
        status, order, page = query.get("status", ""), query.get("order", ""), query.get("page", "")
        return cls(
            **given,
            status=status if status in STATUSES else STATUSES[0],
            order=order if order in ORDERS else ORDERS[0],
            page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 7 and int(page) else 1,
        )

    def query(self, **changed: Any) -> dict[str, str]:
        """As an address has it, without what is not given."""
        standing = {"status": STATUSES[0], "order": ORDERS[0], "page": 1}
        all_ = {name: getattr(self, name) for name in self.__slots__} | changed
        return {name: str(value) for name, value in all_.items() if value and value != standing.get(name)}

    def condition(self) -> tuple[str, list[object]]:
        """As SQL, and its values."""
        parts: list[str] = []
        values: list[object] = []
        if self.status == "open":
            parts.append("resolved_at IS NULL")
        elif self.status == "resolved":
            parts.append("resolved_at IS NOT NULL")
        for name in _FIELDS:
            if value := getattr(self, name):
                parts.append(f"{name} = ?")
                values.append(value)
        if self.severity:
            parts.append("severity = ?")
            values.append(SEVERITIES.index(self.severity))
        for term in self.text.lower().split()[:TERMS]:
            parts.append("(SELECT instr(search, ?) FROM texts WHERE texts.id = alerts.id) > 0")
            values.append(term)
        return " AND ".join(parts) or "1", values


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of alerts. `counts`: of all that the filter lets through, by severity."""

    alerts: list[dict[str, Any]]
    counts: dict[str, int]
    page: int
    pages: int

    @property
    def total(self) -> int:
        """How many the filter lets through."""
        return sum(self.counts.values())


def listing(store: Store, wanted: Filter) -> Listing:
    """The page of the filter; behind the last page, the last."""
    where, values = wanted.condition()
    order = "severity DESC, raised_at DESC, key" if wanted.order == "severity" else "raised_at DESC, key"
    if wanted.text:
        # A search looks at every text: once.
        hits = store.rows(f"SELECT id, severity FROM alerts WHERE {where} ORDER BY {order}", values)  # noqa: S608
        found = Counter(row["severity"] for row in hits)
    else:
        grouped = f"SELECT severity, count(*) FROM alerts WHERE {where} GROUP BY severity"  # noqa: S608
        found = Counter({row[0]: row[1] for row in store.rows(grouped, values)})
    counts = {severity: found[SEVERITIES.index(severity)] for severity in reversed(SEVERITIES)}
    pages = max(1, -(-sum(counts.values()) // PAGE))
    page = min(wanted.page, pages)
    first = (page - 1) * PAGE
    if not wanted.text:
        one_page = f"SELECT id FROM alerts WHERE {where} ORDER BY {order} LIMIT {PAGE} OFFSET {first}"  # noqa: S608
        shown = [row["id"] for row in store.rows(one_page, values)]
    else:
        shown = [row["id"] for row in hits[first : first + PAGE]]
    return Listing(_told(store, shown), counts, page, pages)


def offered(store: Store) -> dict[str, list[str]]:
    """Values to filter by: every registered type and those that others have raised; of the rest what is open."""
    types = dict.fromkeys([*ALERT_TYPES, *sorted(store.types)])
    found = {"type": list(types)}
    for name in _FIELDS[1:]:
        query = (
            f"SELECT {name} FROM alerts WHERE resolved_at IS NULL AND {name} IS NOT NULL"  # noqa: S608
            f" GROUP BY {name} ORDER BY count(*) DESC, {name} LIMIT {OFFERED}"
        )
        found[name] = [row[0] for row in store.rows(query)]
    return found


def find(store: Store, key: str) -> dict[str, Any] | None:
    """One alert, by its key."""
    found = _told(store, [row["id"] for row in store.rows("SELECT id FROM alerts WHERE key = ?", (key,))])
    return found[0] if found else None


def history(store: Store, alert: Mapping[str, Any], at_most: int = 50) -> list[dict[str, Any]]:
    """The other alerts of its subject and of its order, the latest first."""
    rows = store.rows(
        "SELECT id FROM alerts WHERE (subject = :subject OR (order_id = :order AND :order IS NOT NULL)) AND key <> :key"
        " ORDER BY raised_at DESC, key LIMIT :most",
        {"subject": alert["subject"], "order": alert["order_id"], "key": alert["key"], "most": at_most},
    )
    return _told(store, [row["id"] for row in rows])


def _told(store: Store, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Alerts as pages show them, in the order of their ids here."""
    places = ",".join("?" * len(ids))
    query = f"SELECT * FROM alerts JOIN bodies USING (id) WHERE id IN ({places})"  # noqa: S608
    found = {row["id"]: _row(row) for row in store.rows(query, ids)}
    return [found[each] for each in ids]


def _row(row: sqlite3.Row) -> dict[str, Any]:
    """One of them: `data` is what the alert said when it was raised, else when it was resolved."""
    raised, resolved = row["raised"], row["resolved"]
    body = msgspec.json.decode(raised if raised is not None else resolved)
    return {
        "key": row["key"], "type": row["type"], "subject": row["subject"], "severity": SEVERITIES[row["severity"]],
        "shop": row["shop"], "order_id": row["order_id"], "carrier": row["carrier"], "facility": row["facility"],
        "raised_at": row["raised_at"], "resolved_at": row["resolved_at"], "resolution": row["resolution"],
        "data": body["data"], "resolved": msgspec.json.decode(resolved)["data"] if resolved is not None else None,
        "known_from_start": raised is not None,
    }  # fmt: skip
