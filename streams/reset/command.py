"""`parcelwatch reset`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import click

from schemas.topics import TopicNames
from streams.cli.logging import logging_options
from streams.cli.options import app_id_option, broker_option, instant, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo
from streams.engine.errors import FatalError, LogError
from streams.reset.run import connected


@click.command("reset")
@click.option("--from", "since", callback=instant, metavar="TIME",
              help="Read only records of this time or later; default: everything in the inputs.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@broker_option
@app_id_option
@topics_option
@logging_options
@security_options
def reset_command(
    since: int | None,
    yes: bool,
    dry_run: bool,
    broker: str,
    app_id: str,
    topics: TopicNames,
    client: dict[str, Any],
) -> int:
    """Let an application begin anew: its group's offsets and its internal topics go.

    What will be done is said first. Inputs and outputs are never touched. Refused while workers run. The status is 1
    where whoever was asked did not agree.
    """

    async def run() -> int:
        async with connected(broker, app_id, topics, client) as resetting:
            plan = await resetting.plan(since)
            for line in plan.lines():
                echo(line)
            if dry_run:
                return 0
            if not yes:
                if not sys.stdin.isatty():
                    raise click.UsageError("nobody can be asked here: --yes does it, --dry-run does not")
                if not click.confirm("Do it?"):
                    return 1
            await resetting.carry_out(plan)
            echo("done: the next worker begins anew")
            return 0

    try:
        return asyncio.run(run())
    except FatalError as error:
        raise click.ClickException(str(error)) from None
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None
