"""Writes `written.msgpack.gz`: what version 0.1.0 has in its internal topics in the midst of a stream.

Run it with the code of that version, from its checkout (tag v0.1.0):

    PYTHONPATH=. python written.py EVENTS.jsonl UNTIL policy.toml written.msgpack.gz

`EVENTS.jsonl` are lines of {"topic", "value"}, `UNTIL` is a time by which all is over, as RFC 3339 has it.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from schemas.events import CHATS, ORDERS, SCANS
from schemas.times import parse
from streams.policy.load import load
from tests.unit.stages.cluster import Cluster


def written(lines: list[dict[str, Any]], until: int, policy: Path) -> dict[str, Any]:
    """Events and outputs, and by name of a task or partition rows and what is not read, two thirds into the stream."""
    events = [
        (line["topic"], json.dumps(line["value"], ensure_ascii=False, separators=(",", ":")).encode()) for line in lines
    ]
    random = Random(5)
    cluster = Cluster(load(str(policy)), until, orders=2, scans=2, random=random)
    reached, at = 0, len(events) * 2 // 3
    while reached < at:
        portion = min(random.choice((1, 5, 40)), at - reached)
        for event in events[reached : reached + portion]:
            cluster.append(event)
        reached += portion
        for name in cluster.tasks:
            if random.random() < 0.6:
                _turn(cluster, name, random.choice((3, 20, 500)))
    for name in cluster.tasks:
        _turn(cluster, name, 0)
    edges = {}
    for task in cluster.tasks.values():
        for source, position in task.positions().items():
            if source.topic not in (ORDERS, CHATS, SCANS):
                left = [record.value for record in cluster._log.get(source, [])[position:]]
                edges[f"{source.topic}/{source.partition}"] = position, left
    return {
        "events": events,
        "at": at,
        "until": until,
        "rows": {str(name): dict(cluster._rows[name]) for name in cluster.tasks},
        "edges": edges,
        "outputs": [(output.topic, output.key, output.value) for output in cluster.outputs],
    }


def _turn(cluster: Cluster, name: Any, at_most: int) -> None:
    cluster.read(name, at_most)
    while cluster.tasks[name].advance():
        """Another slice."""
    cluster.commit(name)


if __name__ == "__main__":
    source, end, limits, target = sys.argv[1:]
    found = written([json.loads(line) for line in Path(source).read_text().splitlines()], parse(end), Path(limits))
    Path(target).write_bytes(gzip.compress(msgspec.msgpack.encode(found), 9, mtime=0))
