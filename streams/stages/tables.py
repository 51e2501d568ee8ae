"""Records of the compacted tables."""

from __future__ import annotations

from typing import Any

import msgspec


class TableRecord(msgspec.Struct, frozen=True):
    """One record of a compacted table; `value` None is a tombstone."""

    table: str
    key: str
    value: dict[str, Any] | None
