"""`parcelwatch redrive`."""

from __future__ import annotations

import asyncio
from typing import Any

import click
import msgspec

from schemas.decode import Reason
from schemas.topics import INPUTS, TopicNames
from streams.cli.logging import logging_options
from streams.cli.options import broker_option, instant, partitioner_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo, printable_json
from streams.engine.errors import FatalError, LogError
from streams.redrive.kafka import connected
from streams.redrive.letters import Filter
from streams.redrive.run import Outcome, Request, redrive
from streams.stages.intake import Partitioner


@click.command("redrive")
@click.option("--reason", "reasons", multiple=True, type=click.Choice([str(each) for each in Reason]),
              help="Only letters with this error code; may be given again.")  # fmt: skip
@click.option("--topic", "names", multiple=True, type=click.Choice(INPUTS),
              help="Only those of this input; may be given again.")  # fmt: skip
@click.option("--partition", "partitions", multiple=True, type=click.IntRange(min=0), metavar="N",
              help="Only those of records of this partition; may be given again.")  # fmt: skip
@click.option("--since", callback=instant, metavar="TIME", help="Only those that failed then or later.")
@click.option("--before", callback=instant, metavar="TIME", help="Only those that failed earlier.")
@click.option("--redrives", type=click.IntRange(1, 1000), default=3, show_default=True, metavar="N",
              help="How often one record may be redriven, all runs together.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Show what would be redriven, and send nothing.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON array.")
@broker_option
@topics_option
@partitioner_option
@logging_options
@security_options
def redrive_command(
    reasons: tuple[str, ...],
    names: tuple[str, ...],
    partitions: tuple[int, ...],
    since: int | None,
    before: int | None,
    redrives: int,
    dry_run: bool,
    as_json: bool,
    broker: str,
    topics: TopicNames,
    partitioner: Partitioner,
    client: dict[str, Any],
) -> int:
    """Send dead letters back to the topics that they came from, once the cause is fixed.

    Where a dead letter has no value its record is read from where it lay. Workers may run. The status is 1 where
    letters that were wanted could not be redriven.
    """
    if since is not None and before is not None and since >= before:
        raise click.UsageError("--since has to lie before --before")
    wanted = Filter(frozenset(reasons), frozenset(partitions), since, before)
    request = Request(topics, names or INPUTS, wanted, redrives, partitioner, dry_run)

    async def run() -> list[Outcome]:
        async with connected(broker, client) as reached:
            return await redrive(reached, request)

    try:
        outcomes = asyncio.run(run())
    except FatalError as error:
        raise click.ClickException(str(error)) from None
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None
    if as_json:
        click.echo(printable_json(msgspec.json.encode(outcomes)))
    else:
        for outcome in outcomes:
            for line in outcome.lines(dry_run=dry_run):
                echo(line)
    return 1 if any(outcome.left for outcome in outcomes) else 0
