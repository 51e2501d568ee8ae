"""`parcelwatch topics`."""

from __future__ import annotations

import asyncio
from typing import Any

import click

from schemas.topics import TopicNames
from streams.cli.logging import logging_options
from streams.cli.options import app_id_option, broker_option, policy_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo
from streams.engine.errors import FatalError
from streams.policy.model import Policy
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK, dataflow
from streams.topics.desired import Settings
from streams.topics.ensure import ensure

_POSITIVE = click.IntRange(min=1)


@click.command("topics")
@broker_option
@app_id_option
@policy_option
@topics_option
@click.option(
    "--order-partitions",
    type=_POSITIVE,
    help="Partitions of orders and chats; default: those of existing topics, else 12.",
)
@click.option(
    "--scan-partitions",
    type=_POSITIVE,
    help="Partitions of logistics-scans; default: those of an existing topic, else 12.",
)
@click.option("--replication-factor", type=_POSITIVE, help="Replication of new topics; default: the broker's.")
@click.option("--dry-run", is_flag=True, help="Show what would be created, and create nothing.")
@logging_options
@security_options
def topics_command(
    broker: str,
    app_id: str,
    policy: Policy,
    topics: TopicNames,
    order_partitions: int | None,
    scan_partitions: int | None,
    replication_factor: int | None,
    dry_run: bool,
    client: dict[str, Any],
) -> int:
    """Create missing topics, and report those configured differently.

    Existing topics are never changed. If one is configured differently, the status is 1 and the output says what to do.
    """
    asked = {ORDERS_TASK: order_partitions, SHIPMENTS_TASK: scan_partitions}
    try:
        settings = Settings(
            app_id=app_id,
            dataflow=dataflow(policy, topics),
            topics=topics,
            partitions={kind: count for kind, count in asked.items() if count is not None},
            replication_factor=replication_factor,
        )
        report = asyncio.run(ensure(broker, settings, dry_run, client))
    except (ValueError, FatalError) as error:
        raise click.ClickException(str(error)) from None
    for line in report.lines():
        echo(line)
    return 0 if report.agrees else 1
