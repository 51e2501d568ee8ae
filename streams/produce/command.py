"""`parcelwatch produce`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from schemas.topics import INPUTS, TopicNames
from streams.cli.ending import when_told_to_end
from streams.cli.logging import last_word, logging_options
from streams.cli.options import broker_option, partitioner_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo
from streams.engine.errors import FatalError, LogError
from streams.engine.log.kafka import KafkaSettings
from streams.produce.events import BadLine, Event, events
from streams.produce.run import Pace, Producing
from streams.produce.writer import EventWriter
from streams.replay.progress import bar
from streams.replay.reading import MissingInput, size
from streams.stages.intake import Partitioner

#: Bad lines that are listed; the rest are counted.
_LISTED = 50
#: Seconds for which a batch waits for more records.
_LINGER = 0.02
#: The exit status where brokers have stopped answering, and of what Ctrl-C has ended.
_UNANSWERED, _INTERRUPTED = 3, 130


@click.command("produce")
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), metavar="FACTOR",
              help="Seconds of event time in a second, 1 as it happened; default: as fast as can be.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Status 1 if any line was left out.")
@broker_option
@partitioner_option
@topics_option
@logging_options
@security_options
def produce_command(
    sources: tuple[Path, ...],
    speed: float | None,
    strict: bool,
    broker: str,
    partitioner: Partitioner,
    topics: TopicNames,
    client: dict[str, Any],
) -> int:
    """Send events from files to Kafka, each under its key and to its partition.

    A FILE is what `parcelwatch adapt` writes and `parcelwatch replay` reads: lines {"topic":"orders","value":{...}}, or
    a folder with orders.jsonl, logistics-scans.jsonl and chats.jsonl; .gz and .zst, too. Several are merged by time.

    Lines that are no valid event are left out and named on standard error. Events may be repeated: a run that was
    interrupted is simply started again.
    """
    bad: list[BadLine] = []

    def told(line: BadLine) -> None:
        bad.append(line)
        if len(bad) <= _LISTED:
            echo(f"left out: {line}", err=True)

    try:
        with bar(sum(map(size, sources)), "produce", Console(stderr=True)) as progress:
            writer = EventWriter(KafkaSettings(bootstrap=broker, client=client), partitioner, _LINGER)
            found = events(sources, lambda: time.time_ns() // 1000, progress)
            outcome = asyncio.run(_send(found, writer, Producing(writer, topics, Pace(speed), told)))
    except MissingInput as error:
        raise click.UsageError(str(error)) from None
    except FatalError as error:
        raise click.ClickException(str(error)) from None
    if len(bad) > _LISTED:
        echo(f"left out: {len(bad) - _LISTED:,} more lines", err=True)
    counts = ", ".join(f"{topic} {outcome.sent[topic]:,}" for topic in INPUTS if outcome.sent[topic])
    echo(f"sent: {counts or 'nothing'}" + (f"; left out: {len(bad):,} lines" if bad else ""))
    if outcome.failure is not None:
        last_word(f"the broker cannot be used: {outcome.failure}; start it again: events may be repeated")
        return _UNANSWERED
    if outcome.stopped:
        echo("interrupted; start it again for the rest: events may be repeated", err=True)
        return _INTERRUPTED
    return 1 if strict and bad else 0


async def _send(found: Iterator[Event | BadLine], writer: EventWriter, producing: Producing) -> Producing:
    """Raises `FatalError` where it cannot begin, and MissingInput."""
    when_told_to_end(producing.stop)
    try:
        await writer.open(producing.topics.all(INPUTS))
        await producing.run(found)
    except LogError as error:
        raise FatalError(f"the broker cannot be used: {error}") from None
    finally:
        await writer.close()
    return producing
