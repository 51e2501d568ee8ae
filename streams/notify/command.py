"""`parcelwatch notify`."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, get_args

import click

from schemas.topics import TopicNames
from streams.cli.findings_files import lacking
from streams.cli.logging import logging_options
from streams.cli.options import app_id_option, broker_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo
from streams.engine.errors import FatalError, LogError
from streams.notify.alert import Alert
from streams.notify.dry_run import NoAlertsError, alerts_of, explain, rehearse
from streams.notify.kafka_alerts import retained_alerts
from streams.notify.leading import Names
from streams.notify.load import BadFileError, load
from streams.notify.run import Where, run_notifier
from streams.notify.service import Start
from streams.notify.settings import Settings

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("notify")
@click.option("--config", type=_FILE, required=True, metavar="FILE", help="Channels and routes: docs/notify.md.")
@click.option("--check", is_flag=True, help="Check the file, and do nothing else.")
@click.option("--dry-run", is_flag=True, help="Print what would be said, by the alerts' own time; send nothing.")
@click.option("--explain", "wanted", metavar="ID|SUBJECT", help="Print which routes an alert takes, and why.")
@click.option("--from", "folder", type=_FOLDER, metavar="FOLDER",
              help="With these two: the alerts that a replay has written there, instead of Kafka's.")  # fmt: skip
@broker_option
@app_id_option
@topics_option
@click.option("--offset-reset", "start", type=click.Choice(get_args(Start)), default="latest", show_default=True,
              help="The first time: tell of what comes from now on, or of all that is there.")  # fmt: skip
@click.option("--session-timeout", type=click.FloatRange(1, 300), default=8.0, show_default=True, metavar="SECONDS",
              help="Seconds of silence after which another notifier of the group takes over.")  # fmt: skip
@click.option("--instance-id", metavar="NAME", help="Static membership: who comes back under it goes on at once.")
@click.option("--metrics-host", default="127.0.0.1", show_default=True,
              help="Address that serves /metrics, /livez and /readyz.")  # fmt: skip
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Their port; off if not set.")
@logging_options
@security_options
def notify_command(
    config: Path,
    check: bool,
    dry_run: bool,
    wanted: str | None,
    folder: Path | None,
    broker: str,
    app_id: str,
    topics: TopicNames,
    start: Start,
    session_timeout: float,
    instance_id: str | None,
    metrics_host: str,
    metrics_port: int | None,
    client: dict[str, Any],
) -> int:
    """Tell people of alerts: each once, by chat bots, e-mail and webhooks.

    Of several notifiers of an application one tells, and the others wait to take its place.
    """
    looks = dry_run or wanted is not None
    if folder is not None and not looks:
        raise click.UsageError("--from needs --dry-run or --explain")
    try:
        # Who only looks needs no secrets.
        settings = load(config, None if looks else os.environ)
    except BadFileError as error:
        if not check:
            raise click.UsageError(f"--config {error}") from None
        for mistake in error.mistakes:
            echo(mistake, err=True)
        return 2
    if check:
        channels, routes = len(settings.channels), len(settings.routes)
        echo(f"{config}: {channels} channel{'s'[: channels > 1]}, {routes} route{'s'[: routes > 1]}")
        return 0
    where = Where(
        bootstrap=broker,
        names=Names.of(app_id),
        topics=topics,
        client=client,
        session_timeout=session_timeout,
        instance_id=instance_id,
        metrics_address=(metrics_host, metrics_port),
    )
    try:
        if looks:
            alerts = alerts_of(folder) if folder else asyncio.run(retained_alerts(broker, topics, client))
            _look(settings, alerts, wanted)
            return 0
        _can_send(settings)
        return run_notifier(settings, where, start)
    except (NoAlertsError, FatalError) as error:
        raise click.ClickException(str(error)) from None
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None


def _look(settings: Settings, alerts: list[Alert], wanted: str | None) -> None:
    if wanted is not None:
        explain(settings, alerts, wanted)
    else:
        rehearse(settings, alerts)


def _can_send(settings: Settings) -> None:
    if any(channel.kind == "apprise" for channel in settings.channels.values()):
        said = lacking("notify", "apprise")
        if said is not None:
            raise click.UsageError(f"a channel with an address of Apprise {said}")
