"""Carriers and facilities: how much comes from where, and what is amiss there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.times import HOUR
from streams.console.store import Store
from streams.policy.shipments import FeedSilence
from streams.rules.alert_types import types_about

#: Hours of the heat map, its shades beside that of nothing, and the most carriers and facilities that are listed.
HOURS, SHADES, MOST = 48, 5, 100
SILENT, QUIET, WELL = "silent", "quiet", "well"


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier. `recent`: its scans in the hours that are judged, `usual`: on average in the same hours of the days
    before, as far as they were read. `cells`: scans and shade by hour of the heat map.
    """

    name: str
    health: str
    last: int | None
    recent: int
    usual: float
    open_alerts: int
    cells: list[tuple[int, int]]


def carriers(store: Store, rules: FeedSilence) -> tuple[list[int], list[Carrier]]:
    """The hours of the heat map (since 1970), and the carriers, silent ones first, then by name."""
    rows = store.rows("SELECT carrier, hour, count FROM scans")
    counts: dict[str, dict[int, int]] = {}
    for row in rows:
        counts.setdefault(row["carrier"], {})[row["hour"]] = row["count"]
    opened = {row["carrier"]: row for row in store.rows(
        "SELECT carrier, count(*) AS open, sum(type = 'carrier.feed_silent') AS silent FROM alerts"
        " WHERE resolved_at IS NULL AND carrier IS NOT NULL GROUP BY carrier"
    )}  # fmt: skip
    now = max((hour for hours in counts.values() for hour in hours), default=0) + 1
    shown = list(range(now - HOURS, now))
    busiest = max((count for hours in counts.values() for hour, count in hours.items() if hour in shown), default=0)
    first = min((hour for hours in counts.values() for hour in hours), default=now)
    # As many days as were read whole.
    days = min(rules.days, (now - first) // 24)
    found = []
    for name in sorted(counts.keys() | opened.keys()):
        hours = counts.get(name, {})
        recent = sum(hours.get(now - back, 0) for back in range(1, rules.hours + 1))
        before = sum(
            hours.get(now - back - 24 * day, 0) for day in range(1, days + 1) for back in range(1, rules.hours + 1)
        )
        usual = before / days if days > 0 else 0.0
        silent = name in opened and opened[name]["silent"]
        health = SILENT if silent else QUIET if not recent and usual else WELL
        cells = [(hours.get(hour, 0), _shade(hours.get(hour, 0), busiest)) for hour in shown]
        last = (max(hours) + 1) * HOUR if hours else None
        found.append(Carrier(name, health, last, recent, usual, opened[name]["open"] if name in opened else 0, cells))
    order = (SILENT, QUIET, WELL)
    return shown, sorted(found, key=lambda one: (order.index(one.health), one.name))[:MOST]


def facilities(store: Store) -> list[dict[str, Any]]:
    """Facilities by how many parcels have stalled there, with what else is open and their latest cluster."""
    stalled = "shipment.stalled"
    cluster = ",".join(f"'{name}'" for name in sorted(types_about("facility")))
    rows = store.rows(
        f"""SELECT facility, sum(type = ? AND resolved_at IS NULL) AS stalled,
              sum(type NOT IN ({cluster}) AND resolved_at IS NULL) AS open,
              sum(type IN ({cluster})) AS clusters,
              max(CASE WHEN type IN ({cluster}) THEN raised_at END) AS last_cluster
            FROM alerts WHERE facility IS NOT NULL GROUP BY facility
            HAVING open OR clusters ORDER BY stalled DESC, open DESC, clusters DESC, facility LIMIT {MOST}""",  # noqa: S608
        (stalled,),
    )
    return [dict(row) for row in rows]


def _shade(count: int, busiest: int) -> int:
    return -(-count * SHADES // busiest) if count else 0
