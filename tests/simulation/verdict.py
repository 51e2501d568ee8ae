"""Whether what came out of a simulation is what a replay of its stream puts out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from schemas.topics import TABLES
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Record
from tests.simulation.stream import Told, replayed, without_forgotten

if TYPE_CHECKING:
    from tests.simulation.world import World

_ALL = 1 << 60


@dataclass(slots=True)
class Verdict:
    """What is wrong; nothing, hopefully."""

    wrong: list[str] = field(default_factory=list)
    alerts: int = 0


def judge(world: World) -> Verdict:
    """Compares what is committed with a replay."""
    verdict = Verdict([*world.errors])
    wanted = replayed(world.stream)
    found = _told(world)
    verdict.alerts = len(wanted.alerts)
    ids = Counter((audience, json.loads(value)["id"]) for audience, value in found.alerts)
    if twice := [f"{audience} {id_}" for (audience, id_), times in ids.items() if times > 1]:
        verdict.wrong.append(f"{len(twice)} alerts are told twice: {', '.join(twice[:3])}")
    if found.alerts != wanted.alerts:
        lost = Counter(wanted.alerts) - Counter(found.alerts)
        extra = Counter(found.alerts) - Counter(wanted.alerts)
        verdict.wrong.append(f"alerts: {lost.total()} lost, {extra.total()} too many: {_some(lost)} {_some(extra)}")
    for table in TABLES:
        if found.tables[table] != wanted.tables[table]:
            verdict.wrong.append(f"table {table}: {_different(found.tables[table], wanted.tables[table])}")
    verdict.wrong += _out_of_order(world)
    letters = Counter(_place(record) for topic in ("orders", "chats", "logistics-scans")
                      for record in _records(world, f"{topic}.dlq"))  # fmt: skip
    if letters != Counter(world.dead):
        verdict.wrong.append(f"dead letters: {dict(letters)}, and there are {world.dead}")
    return verdict


def _records(world: World, topic: str) -> list[Record]:
    found: list[Record] = []
    for partition in range(world.broker.count(topic)):
        found += world.broker.partition(TopicPartition(topic, partition)).read(0, _ALL).records
    return found


def _told(world: World) -> Told:
    alerts = [
        (audience, record.value or b"")
        for audience in ("merchant", "platform")
        for record in _records(world, f"alerts.{audience}")
    ]
    tables: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    for table in TABLES:
        for record in _records(world, table):
            key = (record.key or b"").decode()
            if record.value is None:
                tables[table].pop(key, None)
            else:
                tables[table][key] = json.loads(record.value)
    return without_forgotten(Told(sorted(alerts), tables))


def _out_of_order(world: World) -> list[str]:
    """An alert is raised before it is resolved."""
    found = []
    for audience in ("merchant", "platform"):
        raised: set[tuple[str, str]] = set()
        for record in _records(world, f"alerts.{audience}"):
            alert = json.loads(record.value or b"")
            episode = alert["type"], alert["data"]["episode"]
            if alert["data"]["status"] == "raised":
                raised.add(episode)
            elif episode not in raised:
                found.append(f"resolved before it is raised: {alert['type']} {alert['data']['episode']}")
    return found


def _place(record: Record) -> tuple[str, int, int]:
    headers = dict(record.headers)
    return headers["source-topic"].decode(), int(headers["source-partition"]), int(headers["source-offset"])


def _some(found: Counter[tuple[str, bytes]]) -> str:
    texts = [json.loads(value) for _, value in list(found)[:2]]
    return str([(text["type"], text["subject"], text["time"], text["data"]["status"]) for text in texts])


def _different(found: dict[str, Any], wanted: dict[str, Any]) -> str:
    keys = [key for key in sorted(found.keys() | wanted.keys()) if found.get(key) != wanted.get(key)]
    return f"{len(keys)} rows differ, first {keys[0]}: {found.get(keys[0])}, and should be {wanted.get(keys[0])}"
