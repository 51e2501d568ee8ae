"""A replay: reads an input through the rules and writes what comes out, the same bytes for the same input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import orjson

from schemas.decode import Invalid, Reason, decode
from schemas.events import EVENTS
from schemas.times import render
from streams.alerts.cloudevents import AlertWriter
from streams.engine.processor import BEGINNING
from streams.policy.model import Policy
from streams.replay import parquet
from streams.replay.reading import TOPICS, Line
from streams.rules.alert import Alert
from streams.stages.single import SingleReader

TABLES = ("help-rates", "category-baselines", "conversation-topics", "refund-reasons")
Format = Literal["jsonl", "parquet"]
#: Events between two looks at what is due: often enough to keep what waits small.
_STEP = 4096


class Replay:
    """The state of one replay. `until`, `now`: microseconds, or None."""

    def __init__(self, policy: Policy, until: int | None = None, now: int | None = None) -> None:
        self.policy = policy
        self.until = until
        self.now = now
        self._reader = SingleReader(policy)
        self._writer = AlertWriter(policy.label, policy.platform)
        self._alerts: dict[str, list[tuple[int, str, bytes]]] = {"merchant": [], "platform": []}
        self._tables: dict[str, dict[str, dict[str, Any]]] = {table: {} for table in TABLES}
        self._dead: list[dict[str, Any]] = []
        self._read: Counter[str] = Counter()
        self._types: Counter[str] = Counter()
        self._said: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._repeated = 0
        self._left_out = 0
        self._tombstones = 0

    def run(self, lines: Iterable[Line]) -> dict[str, Any]:
        """Reads all lines; the summary."""
        reader, until, now = self._reader, self.until, self.now
        types = self._types
        unlooked = 0
        for line in lines:
            topic, value = line.topic, line.value
            if topic is None or value is None:
                self._bury(line, Invalid(line.reason or Reason.NOT_JSON, line.detail))
                continue
            self._read[topic] += 1
            if value == b"null":
                self._tombstones += 1
                continue
            try:
                event, time = decode(topic, value, now)
            except Invalid as invalid:
                self._bury(line, invalid)
                continue
            if until is not None and time > until:
                self._left_out += 1
                continue
            types[type(event).__name__] += 1
            if not reader.take(topic, event, time, value):
                self._repeated += 1
            unlooked += 1
            if unlooked >= _STEP:
                unlooked = 0
                reader.settle()
                self._collect()
        end = until if until is not None else reader.greatest
        if end != BEGINNING:
            reader.finish(end)
        self._collect()
        return self._summary(end)

    def write(self, folder: Path, summary: dict[str, Any], form: Format = "jsonl") -> None:
        """Writes the files of the replay into `folder`, which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True)
        for alerts in self._alerts.values():
            alerts.sort()
        if form == "parquet":
            self._write_parquet(folder)
        else:
            self._write_lines(folder)
        (folder / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")

    def _write_lines(self, folder: Path) -> None:
        for audience, alerts in self._alerts.items():
            with (folder / f"alerts.{audience}.jsonl").open("wb") as out:
                out.writelines(value + b"\n" for _, _, value in alerts)
        for table, rows in self._tables.items():
            with (folder / f"{table}.jsonl").open("wb") as out:
                out.writelines(orjson.dumps(rows[key]) + b"\n" for key in sorted(rows))
        with (folder / "dead-letters.jsonl").open("wb") as out:
            out.writelines(orjson.dumps(row) + b"\n" for row in self._dead)

    def _write_parquet(self, folder: Path) -> None:
        for audience, alerts in self._alerts.items():
            parquet.write_alerts(folder / f"alerts.{audience}.parquet", (value for _, _, value in alerts))
        for table, rows in self._tables.items():
            parquet.write_table(folder / f"{table}.parquet", table, (rows[key] for key in sorted(rows)))
        parquet.write_dead_letters(folder / "dead-letters.parquet", self._dead)

    def _bury(self, line: Line, invalid: Invalid) -> None:
        self._reasons[str(invalid.reason)] += 1
        self._dead.append(
            {
                "topic": line.topic,
                "line": line.number,
                "error_code": str(invalid.reason),
                "error_detail": invalid.detail,
            }
        )

    def _collect(self) -> None:
        alerts, records = self._reader.drain()
        for alert in alerts:
            self._write(alert)
        for table, key, value in ((record.table, record.key, record.value) for record in records):
            if value is None:
                self._tables[table].pop(key, None)
            else:
                self._tables[table][key] = value

    def _write(self, alert: Alert) -> None:
        self._said[f"{alert.type} {alert.status}"] += 1
        for audience, _, id_, value in self._writer.records(alert):
            self._alerts[audience].append((alert.time, id_, value))

    def _summary(self, end: int) -> dict[str, Any]:
        return {
            "policy": self.policy.label,
            "watermark": render(end) if end != BEGINNING else None,
            "records": {topic: self._read[topic] for topic in TOPICS},
            "events": dict(sorted(_by_type(self._types).items())),
            "alerts": _nested(self._said),
            "late": self._reader.late,
            "repeated": self._repeated,
            "left_out": self._left_out,
            "tombstones": self._tombstones,
            "dead": {"total": len(self._dead), "by_reason": dict(sorted(self._reasons.items()))},
        }


def _by_type(names: Counter[str]) -> Counter[str]:
    tags = {struct.__name__: struct.__struct_config__.tag for structs in EVENTS.values() for struct in structs}
    result: Counter[str] = Counter()
    for name, count in names.items():
        result[str(tags[name])] += count
    return result


def _nested(said: Counter[str]) -> dict[str, dict[str, int]]:
    result: dict[str, dict[str, int]] = {}
    for name, count in sorted(said.items()):
        type_, status = name.split()
        result.setdefault(type_, {"raised": 0, "resolved": 0})[status] = count
    return result
