"""`parcelwatch generate`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from schemas.times import CHINA, DAY, SECOND
from schemas.topics import TopicNames
from streams.cli.ending import when_told_to_end
from streams.cli.logging import logging_options
from streams.cli.options import bootstrap, instant, partitioner_option, topics_option
from streams.cli.security import security_options
from streams.engine.errors import FatalError
from streams.generate.files import write_folder, write_lines
from streams.generate.kafka import Pace, Partitioner, Sending, produce
from streams.marketplace.market import Plan, Produced, market
from streams.marketplace.shops import PER_CATEGORY

#: Days that a marketplace which goes on as it happens is planned for.
_LIVE = 3_650
_BROKER_IS_DEFAULT = (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT)


@click.command("generate")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Write orders.jsonl, logistics-scans.jsonl and chats.jsonl into it.")  # fmt: skip
@click.option("--broker", callback=bootstrap, metavar="kafka://HOST:PORT,...",
              help="Send to the topics of this Kafka instead.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3_650), default=40, show_default=True, metavar="N",
              help="Days of past to generate.")  # fmt: skip
@click.option("--shops", type=click.IntRange(1, 100_000), default=12, show_default=True, metavar="N",
              help=f"{PER_CATEGORY} share a category.")  # fmt: skip
@click.option("--orders-per-day", type=click.IntRange(1, 10_000_000), default=80, show_default=True, metavar="N",
              help="Orders a day of all shops; each has about ten events.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
              help="Random seed; another number gives another marketplace.")  # fmt: skip
@click.option("--start", callback=instant, metavar="TIME",
              help="When it begins; default: --days before today in China, or before now with --broker.")  # fmt: skip
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), metavar="FACTOR",
              help="With --broker: seconds of the marketplace in a second; default: as fast as can be.")  # fmt: skip
@click.option("--live", is_flag=True, help="With --broker: after the past, continue in real time until Ctrl-C.")
@partitioner_option
@topics_option
@logging_options
@security_options
def generate_command(
    out: Path | None,
    broker: str | None,
    days: int,
    shops: int,
    orders_per_day: int,
    seed: int,
    start: int | None,
    speed: float | None,
    live: bool,
    partitioner: Partitioner,
    topics: TopicNames,
    client: dict[str, Any],
) -> None:
    """Simulate a marketplace: orders, scans and chats, to try everything without data of your own.

    Without --out and --broker, events are lines on standard output, as `parcelwatch replay` reads them. The same
    options with the same --start give the same events. They include late orders, silent parcels, slow answers, a shop
    with increasingly angry buyers, repeated and out-of-order events, and some invalid ones. Two fifths of the days in,
    a carrier's feed stops for half a day, then a hub is jammed. With --days 30 --orders-per-day 400 there are alerts of
    every type (of chat.reply_late where the policy asks for it).
    """
    source = click.get_current_context().get_parameter_source("broker")
    if out is not None and source in _BROKER_IS_DEFAULT:
        broker = None
    if out is not None and broker is not None:
        raise click.UsageError("--out and --broker: the marketplace goes to one of them")
    if broker is None and (live or speed is not None):
        raise click.UsageError(f"{'--live' if live else '--speed'} needs --broker: files have no clock")
    now = time.time_ns() // 1_000
    if start is None:
        end = now - now % SECOND if broker is not None else now - (now + CHINA) % DAY
        start = end - days * DAY
    plan = Plan(
        seed=seed, shops=shops, orders_per_day=orders_per_day, days=days + (_LIVE if live else 0), start=start,
        anger=(days / 5, days / 2), incidents=days * 2 // 5,
    )  # fmt: skip
    if broker is not None:
        sent = _send(plan, days, Pace(speed, live, _now), Sending(broker, partitioner, client, topics=topics))
        click.echo(f"{sent:,} records sent", err=True)
    elif out is not None:
        try:
            with _progress(plan, days) as told:
                count = write_folder(_each(market(plan), told), out)
        except OSError as error:
            raise click.ClickException(f"{out}: {error.strerror or error}") from None
        click.echo(f"{count:,} records in {out}", err=True)
    else:
        write_lines(market(plan), sys.stdout.buffer)


def _now() -> int:
    return time.time_ns() // 1_000


def _send(plan: Plan, days: int, pace: Pace, sending: Sending) -> int:
    async def run() -> int:
        stop = asyncio.Event()
        when_told_to_end(stop.set)
        with _progress(plan, days) as told:
            sending.told = told
            return await produce(market(plan), sending, pace, stop)

    try:
        return asyncio.run(run())
    except FatalError as error:
        raise click.ClickException(str(error)) from None


class _Bar:
    """Moves a bar by the days of the marketplace."""

    def __init__(self, progress: Progress, plan: Plan, days: int) -> None:
        self._progress, self._plan = progress, plan
        self._task = progress.add_task("marketplace", total=days)
        self._day = 0

    def __call__(self, record: Produced) -> None:
        day = (record.sent_at - self._plan.start) // DAY
        if day > self._day:
            self._day = day
            self._progress.update(self._task, completed=day)


@contextmanager
def _progress(plan: Plan, days: int) -> Iterator[Any]:
    """What is told of each record; a bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bar(progress, plan, days)


def _each(records: Iterator[Produced], told: Any) -> Iterator[Produced]:
    for record in records:
        told(record)
        yield record
