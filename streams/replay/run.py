"""A replay: runs an input through the rules and writes the output; the same input gives the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import orjson

from schemas import events
from schemas.decode import KeyTooLarge
from schemas.times import render
from schemas.topics import TABLES
from streams.alerts.cloudevents import AlertWriter
from streams.cli.files import remove, whole_file
from streams.engine.processor import BEGINNING
from streams.policy.model import Policy
from streams.replay import parquet
from streams.replay.batches import Batch, Dead, Event, batches_of
from streams.replay.reading import TOPICS, Line
from streams.replay.runs import Run
from streams.rules.alert import Alert
from streams.stages.native_lines import NativeLines
from streams.stages.shipments.spellings import told
from streams.stages.single_reader import SingleReader

Format = Literal["jsonl", "parquet"]
#: Events between two checks for due keys: often enough to keep the backlog small.
STEP = 4096


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
        self.dead: list[Dead] = []
        self._passed_over: Counter[str] = Counter()
        self._kinds: Counter[type[events.Event]] = Counter()
        self._left_out: Counter[type[events.Event]] = Counter()
        self._said: Counter[str] = Counter()
        self._repeated = 0
        self._tombstones = 0
        self._unlooked = 0

    def run(self, lines: Iterable[Line]) -> dict[str, Any]:
        """Reads all lines. Returns the summary."""
        return self.take(batches_of(lines, self.now))

    def take(self, batches: Iterable[Batch]) -> dict[str, Any]:
        """Reads all batches, which must have been made with this replay's `now`. Returns the summary."""
        for batch in batches:
            self._take(batch)
            self._look()
        return self._end()

    def take_runs(self, runs: Iterable[Run], module: ModuleType) -> dict[str, Any]:
        """Reads all lines, as far as it can by `module`. Returns the summary."""
        numbers: Sequence[int] = ()

        def bury(topic: str, event: events.AnyEvent, place: int, invalid: KeyTooLarge) -> None:
            self._bury(topic, event, numbers[place], None, invalid)

        native = NativeLines(module, self._reader, TOPICS, self.until, self.now, bury)
        for run in runs:
            numbers, place = run.numbers, 0
            while (reached := native.take(run.lines, run.topics, place)) < len(run.lines):
                self._unlooked += reached - place
                place = reached + 1
                self._take(run.batch(reached, self.now))
            self._unlooked += reached - place
            self._look()
        self._kinds.update(native.taken)
        self._repeated += native.repeated
        return self._end()

    def _take(self, batch: Batch) -> None:
        take = self._reader.take
        found = self._count(batch)
        for topic, event, time, value, line, file in found:
            try:
                if not take(topic, event, time, value):
                    self._repeated += 1
            except KeyTooLarge as invalid:
                self._bury(topic, event, line, file, invalid)
        self._unlooked += len(found)

    def _look(self) -> None:
        """Judges what is due, now and then."""
        if self._unlooked >= STEP:
            self._unlooked = 0
            self._reader.settle()
            self._collect()

    def _end(self) -> dict[str, Any]:
        reader, until = self._reader, self.until
        end = until if until is not None else reader.greatest
        if end != BEGINNING:
            reader.finish(end)
        self._collect()
        return self._summary(end)

    @property
    def two_names(self) -> str | None:
        """One line where tracking numbers came under two names of one carrier."""
        return told(self._reader.shipments.spellings.twice)

    def write(self, folder: Path, summary: dict[str, Any], form: Format = "jsonl") -> None:
        """Writes the files of the replay into `folder`, which is made where it is missing. Raises OSError.

        Where `summary.json` is, all the others are, whole: it goes first and comes last.
        """
        folder.mkdir(parents=True, exist_ok=True)
        told = folder / "summary.json"
        remove(told)
        for alerts in self._alerts.values():
            alerts.sort()
        if form == "parquet":
            self._write_parquet(folder)
        else:
            self._write_lines(folder)
        with whole_file(told) as file:
            file.write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")

    def _write_lines(self, folder: Path) -> None:
        for audience, alerts in self._alerts.items():
            _write_file(folder / f"alerts.{audience}.jsonl", (value for _, _, value in alerts))
        for table, rows in self._tables.items():
            _write_file(folder / f"{table}.jsonl", (orjson.dumps(rows[key]) for key in sorted(rows)))
        _write_file(folder / "dead-letters.jsonl", (orjson.dumps(dead.row()) for dead in self.dead))

    def _write_parquet(self, folder: Path) -> None:
        for audience, alerts in self._alerts.items():
            with whole_file(folder / f"alerts.{audience}.parquet") as file:
                parquet.write_alerts(file, (value for _, _, value in alerts))
        for table, rows in self._tables.items():
            with whole_file(folder / f"{table}.parquet") as file:
                parquet.write_table(file, table, (rows[key] for key in sorted(rows)))
        with whole_file(folder / "dead-letters.parquet") as file:
            parquet.write_dead_letters(file, [dead.row() for dead in self.dead])

    def _count(self, batch: Batch) -> list[Event]:
        """Counts what the batch holds; the events up to the end."""
        found, until = batch.events, self.until
        # Dead letters among good lines come one by one: an update by nothing costs as much as a line.
        if found:
            self._kinds.update([type(event) for _, event, *_ in found])
        self._tombstones += batch.tombstones
        for topic, count in batch.passed_over.items():
            self._passed_over[topic] += count
        self.dead += batch.dead
        if until is None:
            return found
        self._left_out.update([type(event) for _, event, time, *_ in found if time > until])
        return [event for event in found if event[2] <= until]

    def _bury(self, topic: str, event: events.AnyEvent, line: int, file: str | None, invalid: KeyTooLarge) -> None:
        """Makes a valid event a dead letter."""
        self._kinds[type(event)] -= 1
        self._passed_over[topic] += 1
        self.dead.append(Dead(topic, line, str(invalid.reason), invalid.detail, file))

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
        read = {topic: sum(self._kinds[kind] for kind in events.EVENTS[topic]) for topic in TOPICS}
        reasons = Counter(dead.error_code for dead in self.dead)
        return {
            "policy": self.policy.label,
            "watermark": render(end) if end != BEGINNING else None,
            "records": {topic: read[topic] + self._passed_over[topic] for topic in TOPICS},
            "events": _by_type(self._kinds - self._left_out),
            "alerts": _nested(self._said),
            "late": self._reader.late,
            "repeated": self._repeated + self._reader.repeated,
            "left_out": self._left_out.total(),
            "tombstones": self._tombstones,
            "dead": {"total": len(self.dead), "by_reason": dict(sorted(reasons.items()))},
        }


def _write_file(path: Path, lines: Iterable[bytes]) -> None:
    with whole_file(path) as file, file.open("wb") as out:
        out.writelines(line + b"\n" for line in lines)


def _by_type(kinds: Counter[type[events.Event]]) -> dict[str, int]:
    result: Counter[str] = Counter()
    for kind, count in kinds.items():
        result[str(kind.__struct_config__.tag)] += count
    return dict(sorted(result.items()))


def _nested(said: Counter[str]) -> dict[str, dict[str, int]]:
    result: dict[str, dict[str, int]] = {}
    for name, count in sorted(said.items()):
        type_, status = name.split()
        result.setdefault(type_, {"raised": 0, "resolved": 0})[status] = count
    return result
