"""What a run has come to: what its workers have put out, beside what the replay says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from schemas.topics import TABLES
from tests.connected.marketplace import ALERTS, DEAD, JUDGED
from tests.faults.stream import Stream
from tests.kafka_broker.cluster import Cluster


@dataclass(slots=True)
class Verdict:
    """Numbers of records: lost ones that the replay has, doubled ones, and wrong ones that it has not."""

    lost: int = 0
    doubled: int = 0
    wrong: int = 0
    records: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.wrong)

    def take(self, what: str, got: Counter[str], wanted: Collection[str], *, all_of_it: bool) -> None:
        """Compares records; without `all_of_it`, some may be missing yet."""
        expected = Counter(wanted)
        lost = (expected - got).total() if all_of_it else 0
        wrong = sum(count for record, count in got.items() if record not in expected)
        doubled = sum(max(count - expected[record], 0) for record, count in got.items() if record in expected)
        self.records += got.total()
        self.lost, self.doubled, self.wrong = self.lost + lost, self.doubled + doubled, self.wrong + wrong
        if lost or doubled or wrong:
            self.lines.append(f"{what}: {lost} lost, {doubled} doubled, {wrong} wrong of {expected.total()}")
            self.lines += [f"  lost  {one}" for one in (expected - got).elements() if all_of_it]
            self.lines += [f"  wrong {one}" for one in (got - expected).elements()]


async def judge(
    cluster: Cluster, stream: Stream, prefix: str, dead: Collection[tuple[str, int, int]], *, whole: bool, once: bool
) -> Verdict:
    """Reads all outputs. `whole`: the run came to its end. `once`: each alert may be there once only."""
    verdict = Verdict()
    for topic in ALERTS:
        got = Counter(record.value.decode() for record in await cluster.read_committed(prefix + topic))
        if not once:
            got = Counter(dict.fromkeys(got, 1))
        wanted = (stream.out / f"{topic}.jsonl").read_text().splitlines()
        verdict.take(topic, got, wanted, all_of_it=whole)
        ids = Counter(json.loads(record)["id"] for record in got.elements())
        if twice := [each for each, count in ids.items() if count > 1]:
            verdict.doubled += len(twice)
            verdict.lines.append(f"{topic}: ids told twice: {twice[:5]}")
    for table in TABLES if whole else ():
        rows: dict[bytes, bytes | None] = {}
        for record in await cluster.read_committed(prefix + table):
            rows[record.key] = record.value
        left = Counter(value.decode() for value in rows.values() if value is not None)
        verdict.take(table, left, (stream.out / f"{table}.jsonl").read_text().splitlines(), all_of_it=True)
        assert left or table not in JUDGED, f"{table} is empty"
    letters = Counter[str]()
    for topic in DEAD:
        for record in await cluster.read_committed(prefix + topic):
            said = {name: value.decode() for name, value in record.headers}
            letters[f"{said['source-topic']}-{said['source-partition']}@{said['source-offset']}"] += 1
    if not once:
        letters = Counter(dict.fromkeys(letters, 1))
    verdict.take("dead letters", letters, [f"{topic}-{part}@{at}" for topic, part, at in dead], all_of_it=whole)
    return verdict
