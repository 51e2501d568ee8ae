"""Tie-breakers in Rust: see `streams.stages.shipments.scan_ties`, whose rows they read and write."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from streams.stages.shipments import scan_ties


class NativeTies:
    """As `TieBook`. `taken`: the module's own, where it notes the scans that it takes."""

    def __init__(self, module: ModuleType) -> None:
        self.taken: Any = module.Ties()
        self.note = self.taken.note
        self.holds_against = self.taken.holds_against
        self.settle = self.taken.settle

    def collect(self, settled: int, rows: dict[bytes, bytes | None]) -> None:
        """Adds rows for new unsettled scans, and tombstones for obsolete rows."""
        noted, gone = self.taken.collect(settled)
        for number, row in noted:
            rows[scan_ties.notes_key(number)] = row
        for number in gone:
            rows[scan_ties.notes_key(number)] = None

    def rebuild(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Restores rows."""
        for number, notes in scan_ties.notes_of(rows):
            self.taken.restore(number, notes)
