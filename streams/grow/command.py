"""`parcelwatch grow`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from schemas.topics import TopicNames
from streams.cli import logging
from streams.cli.ending import when_told_to_end
from streams.cli.options import (
    app_id,
    app_id_option,
    broker_option,
    new_topics_option,
    partitioner_option,
    policy_option,
    topics_option,
)
from streams.cli.security import security_options
from streams.cli.terminal import echo
from streams.engine.errors import FatalError, LogError
from streams.grow.plan import Growth
from streams.grow.run import connected
from streams.policy.model import Policy
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK
from streams.stages.intake import Partitioner

_POSITIVE = click.IntRange(min=1)
COPY, HAND_OVER = "copy", "hand-over"


@click.command("grow")
@click.argument("step", type=click.Choice([COPY, HAND_OVER]))
@click.option("--to-app-id", required=True, callback=app_id, metavar="ID", help="The application that takes over.")
@new_topics_option
@click.option("--order-partitions", type=_POSITIVE, help="Of its orders and chats; default: as they are.")
@click.option("--scan-partitions", type=_POSITIVE, help="Of its logistics-scans; default: as they are.")
@click.option("--once", is_flag=True, help="With copy: end when all that is there now is copied.")
@click.option("--incomplete-history", is_flag=True, help="Go on where inputs or alerts have lost their beginning.")
@click.option("--patience", type=click.FloatRange(1, 86_400), default=600.0, show_default=True, metavar="SECONDS",
              help="With hand-over: how long to wait for the muted workers.")  # fmt: skip
@broker_option
@app_id_option
@policy_option
@topics_option
@partitioner_option
@security_options
def grow_command(
    step: str,
    to_app_id: str,
    new_topics: TopicNames,
    order_partitions: int | None,
    scan_partitions: int | None,
    once: bool,
    incomplete_history: bool,
    patience: float,
    broker: str,
    app_id: str,
    policy: Policy,
    topics: TopicNames,
    partitioner: Partitioner,
    client: dict[str, Any],
) -> int:
    """Let an application on topics with other numbers of partitions take over, without a lost or doubled alert.

    `copy` copies the inputs into new topics until it is stopped; `hand-over`, once the old workers have stopped, puts
    out what they have not said. What to do in between: docs/growing.md.
    """
    logging.configure()
    asked = {ORDERS_TASK: order_partitions, SHIPMENTS_TASK: scan_partitions}
    partitions = {kind: count for kind, count in asked.items() if count is not None}
    growth = Growth(app_id, topics, to_app_id, new_topics, policy, partitioner, partitions, incomplete_history)

    async def run() -> None:
        stop = asyncio.Event()
        if step == COPY:
            when_told_to_end(stop.set)
        async with connected(broker, growth, lambda line: echo(line, err=True), client) as growing:
            if step == COPY:
                await growing.copy(stop, once=once)
            else:
                await growing.hand_over(patience)

    try:
        growth.check()
        asyncio.run(run())
    except FatalError as error:
        raise click.ClickException(str(error)) from None
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None
    return 0
