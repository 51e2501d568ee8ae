"""`parcelwatch console`."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

import click

from schemas.topics import TopicNames
from streams.alerts.languages import LANGUAGES, Tag, preferred_language
from streams.cli.ending import when_told_to_end
from streams.cli.logging import logging_options
from streams.cli.options import app_id_option, broker_option, partitioner_option, policy_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo
from streams.console.guard import is_loopback
from streams.console.inputs import kafka_inputs
from streams.console.reader import KafkaReader
from streams.console.server import LAST_SCANS, Settings, serving
from streams.engine.errors import FatalError, LogError
from streams.engine.listening import address_of, listening
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.policy.model import Policy
from streams.stages.intake import Partitioner
from streams.status.reading import look

#: The bearer token, by the environment alone: everybody on the machine sees a command line.
TOKEN = "PARCELWATCH_CONSOLE_TOKEN"  # noqa: S105 - the name of a variable
_SHORTEST = 16
#: Seconds that brokers may take to tell of the group.
_PATIENCE = 10.0
#: Seconds to end in: for its clients to close, and for the last answers.
_ENDING = 20.0


@click.command("console")
@broker_option
@app_id_option
@policy_option
@topics_option
@partitioner_option
# Not --port and --console-port: Kubernetes sets their variables, to something else, where a service is called
# parcelwatch or parcelwatch-console.
@click.option("--listen-host", "host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--listen-port", "port", type=click.IntRange(0, 65535), default=8080,
              show_default=True, help="Port to listen on; 0 takes a free one.")  # fmt: skip
@click.option("--allowed-host", "allowed_hosts", multiple=True, metavar="NAME",
              help="Host name by which browsers reach it, besides --listen-host; may be repeated.")  # fmt: skip
@click.option("--without-token", is_flag=True, help=f"Listen beyond loopback without a token in {TOKEN}.")
@click.option("--last-scans", type=click.IntRange(0, 100_000_000), default=LAST_SCANS, show_default=True, metavar="N",
              help="Scans to begin the carriers' hours with; 0 reads none.")  # fmt: skip
@click.option("--lang", type=click.Choice(list(LANGUAGES)),
              help="For browsers that ask for no language that there is; default: the locale's.")  # fmt: skip
@logging_options
@security_options
def console_command(
    broker: str,
    app_id: str,
    policy: Policy,
    topics: TopicNames,
    partitioner: Partitioner,
    host: str,
    port: int,
    allowed_hosts: tuple[str, ...],
    without_token: bool,
    last_scans: int,
    lang: Tag | None,
    client: dict[str, Any],
) -> int:
    """Show alerts, timelines, shops, carriers and dead letters in a browser.

    It reads the output topics and writes nothing. With a token in PARCELWATCH_CONSOLE_TOKEN, whoever asks must know it.
    """
    token = os.environ.get(TOKEN) or None
    if token is not None and len(token) < _SHORTEST:
        raise click.UsageError(f"{TOKEN} needs at least {_SHORTEST} characters")
    if token is None and not without_token and not is_loopback(host):
        raise click.UsageError(f"--listen-host {host} lets others in: set {TOKEN}, or say --without-token")
    settings = KafkaSettings(bootstrap=broker, client=client)
    console = Settings(
        reader=partial(KafkaReader, settings),
        inputs=kafka_inputs(broker, partitioner, client, topics),
        look=partial(look, broker, app_id, topics, client, _PATIENCE),
        host=host,
        port=port,
        allowed_hosts=allowed_hosts,
        token=token,
        topics=topics,
        policy=policy,
        last_scans=last_scans,
        language=lang or preferred_language(),
    )
    try:
        return asyncio.run(serve(console, settings))
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None
    except FatalError as error:
        raise click.ClickException(str(error)) from None


async def serve(settings: Settings, kafka: KafkaSettings) -> int:
    """Serves until a signal comes; returns the exit status.

    Raises `LogError` where no broker answers at the start, `FatalError` where
    they refuse the client or the port is taken.
    """
    listens = listening(settings.host, settings.port)
    log = KafkaLog(kafka)
    try:
        await log.start()
    finally:
        await log.stop()
    stop = asyncio.Event()
    when_told_to_end(stop.set, _ENDING)
    async with serving(settings, listens):
        echo(f"console: {address_of(listens)}")
        await stop.wait()
    return 0
