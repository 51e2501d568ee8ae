"""Topics with a prefix or names of their own, on a real Kafka: every command finds them, and leaves others alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from schemas.topics import INGEST_DEAD_LETTERS, INPUTS, OUTPUTS, PLAIN, TABLES, TopicNames
from tests.connected.marketplace import (
    Produced,
    alerts,
    ended_well,
    generated,
    replay,
    run,
    some_days_after,
    valid,
)
from tests.connected.marketplace import command as process
from tests.kafka_broker import Broker
from tests.unit.cli import run as command

#: The first application has a name for each topic, in a file; the second a prefix, and a name for one input.
ONE = PLAIN.named({
    "orders": "shop.orders.v1", "chats": "talk", "logistics-scans": "scans", "chats.dlq": "bad-talk",
    "alerts.merchant": "warn", "alerts.platform": "desk",
    "help-rates": "t1", "category-baselines": "t2", "conversation-topics": "t3", "refund-reasons": "t4",
})  # fmt: skip
TWO = TopicNames.prefixed("two.").named({"logistics-scans": "all-scans"})
#: The third reads the inputs of the first, and has outputs of its own.
SHARED = ("orders=shop.orders.v1", "chats=talk", "logistics-scans=scans",
          "orders.dlq=three.orders.dlq", "chats.dlq=three.talk.dlq", "logistics-scans.dlq=three.scans.dlq")  # fmt: skip
THREE = TopicNames.prefixed("three.").named(dict(pair.split("=") for pair in SHARED))
#: No event of any topic.
INVALID = [(name, b"x", b"{}") for name in INPUTS]


async def test_applications_share_a_cluster(kafka: Broker, tmp_path: Path) -> None:
    file = tmp_path / "topics.toml"
    file.write_text("[topics]\n" + "".join(f'"{name}" = "{topic}"\n' for name, topic in ONE.called.items()))
    applications = {
        "one": (ONE, ("--topics", str(file)), generated(days=4) + INVALID),
        "two": (TWO, ("--topics", "logistics-scans=all-scans", "--topic-prefix", "two."), generated(days=6) + INVALID),
        "three": (THREE, ("--topics", ",".join(SHARED), "--topic-prefix", "three."), generated(days=4) + INVALID),
    }
    broker = ("--broker", f"kafka://{kafka.bootstrap}")
    few = ("--order-partitions", "2", "--scan-partitions", "2")
    for app, (names, options, events) in applications.items():
        await run("topics", *broker, *options, "--app-id", app, *few)
        for name in INPUTS if names != THREE else ():
            await kafka.produce(names[name], [(key, value) for topic, key, value in events if topic == name])
    every = {topic for names in (ONE, TWO, THREE) for topic in names.all((*INPUTS, *OUTPUTS, INGEST_DEAD_LETTERS))}
    assert {topic for topic in await kafka.topics() if not topic.startswith(("one-", "two-", "three-"))} == every
    ends = {app: some_days_after(valid(events)) for app, (_, _, events) in applications.items()}
    # Their workers run at the same time.
    workers = [
        await process("worker", *broker, *options, "--app-id", app, "--clock", ends[app], "--once")
        for app, (_, options, _) in applications.items()
    ]
    for each in workers:
        await ended_well(each)
    for app in ("one", "two"):
        names, options, events = applications[app]
        (folder := tmp_path / app).mkdir()
        out = await replay(events, ends[app], folder)
        await compare(kafka, names, out)
        if app == "one":
            await compare(kafka, THREE, out)
        commands_find(names, events, (*broker, *options), app)
    assert "group one" in (
        said := command("reset", *broker, *applications["one"][1], "--app-id", "one", "--yes").stdout
    )
    assert "left alone: shop.orders.v1, talk, scans, warn, desk, t1" in said
    assert {topic.partition("-")[0] for topic in await kafka.topics() - every} == {"two", "three"}


async def compare(kafka: Broker, names: TopicNames, out: Path) -> None:
    """What lies in the topics of those names is what the replay has put out."""
    for name in ("alerts.merchant", "alerts.platform"):
        got = await alerts(kafka, names[name])
        assert got
        assert got == sorted((out / f"{name}.jsonl").read_bytes().splitlines())
    for table in TABLES:
        rows = {record.key: record.value for record in await kafka.read_committed(names[table])}
        left = sorted(value for value in rows.values() if value is not None)
        assert left == sorted((out / f"{table}.jsonl").read_bytes().splitlines()), table
    dead = [json.loads(line) for line in (out / "dead-letters.jsonl").read_bytes().splitlines()]
    assert {each["topic"] for each in dead} == set(INPUTS)
    for name in INPUTS:
        letters = [dict(record.headers) for record in await kafka.read_committed(names.dead_letters(name))]
        assert {letter["source-topic"] for letter in letters} == {names[name].encode()}
        assert len(letters) == sum(each["topic"] == name for each in dead)


def commands_find(names: TopicNames, events: Produced, reached: Sequence[str], app: str) -> None:
    """The commands that read or write topics do so under those names."""
    order = next(key for topic, key, _ in events if topic == "orders").decode()
    explained = command("explain", order, *reached, "--lang", "en")
    assert (explained.returncode, explained.stderr) == (0, "")
    assert order in explained.stdout
    forgotten = command("forget", "--order", order, *reached, "--app-id", app, "--dry-run", "--json")
    assert forgotten.returncode == 0, forgotten.stderr
    assert {names["orders"], names.dead_letters("chats"), names["alerts.merchant"]} <= {
        one["topic"] for one in json.loads(forgotten.stdout)["kafka"]
    }
    redriven = command("redrive", *reached, "--json", "--dry-run")
    assert redriven.returncode == 0, redriven.stderr
    assert [(one["topic"], one["letters"] > 0) for one in json.loads(redriven.stdout)] == [
        (names[name], True) for name in INPUTS
    ]
    told = command("status", *reached, "--app-id", app, "--format", "json")
    assert told.stderr == ""
    assert {f'"{names[name]}' in told.stdout for name in INPUTS} == {True}, told.stdout
    made = command("generate", *reached, "--days", "1", "--shops", "1", "--orders-per-day", "2")
    assert made.returncode == 0, made.stderr
