"""Records of tables, scans and dead letters, and a log with some of each."""

from __future__ import annotations

import msgspec

from schemas.times import DAY, HOUR, render
from streams.engine.log.memory import MemoryLog
from tests.unit.alerts.samples import T0
from tests.unit.console.served import log_with_topics

NOW = T0 // HOUR * HOUR


def rates(shop: str, at: int, escalations: int = 30, state: str = "campaign_blocked") -> bytes:
    counts = dict.fromkeys(("complaints", "interventions", "ticket_timeouts", "logistics_linked", "window_closed"), 0)
    window = {"orders": 200, "disputes": escalations, "escalations": escalations, "rate": escalations / 200, **counts}
    row = {"shop_id": shop, "as_of": render(at), "main_category": "women-clothing", "state": state, "baseline": 0.08}
    return msgspec.json.encode(row | {"7d": window, "30d": window})


def baseline(at: int, rate: float | None = 0.08) -> bytes:
    return msgspec.json.encode({"category_id": "women-clothing", "as_of": render(at), "shops": 6, "rate": rate})


def scan(carrier: str, at: int) -> bytes:
    return msgspec.json.encode({"carrier": carrier, "occurred_at": render(at), "tracking_no": "P1", "note": "secret"})


def letter(offset: int, code: str, detail: str) -> tuple[tuple[str, bytes], ...]:
    place = {"source-topic": "orders", "source-partition": "1", "source-offset": str(offset)}
    said = {"error-code": code, "error-detail": detail, "failed-at": "2026-11-03T00:00:00Z", **place}
    return (("error-code", b"forged"), *((name, value.encode()) for name, value in said.items()))


def filled() -> MemoryLog:
    """A log on which every page has something to show."""
    log = log_with_topics()
    for day, escalations in ((2, 8), (1, 18), (0, 30)):
        log.append("help-rates", b"s/<1>", rates("s/<1>", NOW - day * DAY, escalations))
        log.append("category-baselines", b"women-clothing", baseline(NOW - day * DAY))
    log.append("logistics-scans", b"P1", scan("ZTO", NOW))
    log.append("orders.dlq", b"private-key", b"private-payload", letter(7, "invalid-json", "<i>x"))
    return log
