"""Dead letters by reason, with samples: why, and where the record is; never what it holds."""

from __future__ import annotations

from typing import Any

from streams.console.store import Store

SAMPLES = 50


def by_reason(store: Store) -> list[dict[str, Any]]:
    """How many there are of each code and topic, the most frequent first, and when the latest failed."""
    rows = store.rows(
        "SELECT code, source, count(*) AS count, max(failed_at) AS latest FROM dead GROUP BY code, source"
        " ORDER BY count(*) DESC, code, source"
    )
    return [dict(row) for row in rows]


def samples(store: Store, code: str) -> list[dict[str, Any]]:
    """The latest ones, of one code or of all."""
    rows = store.rows(
        "SELECT source, source_part, source_offset, code, detail, failed_at FROM dead WHERE code = :code OR :code = ''"
        " ORDER BY failed_at DESC, source, source_part, source_offset DESC LIMIT :most",
        {"code": code, "most": SAMPLES},
    )
    return [dict(row) for row in rows]
