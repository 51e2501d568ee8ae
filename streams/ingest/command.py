"""`parcelwatch ingest`."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

import click

from schemas.topics import INGEST_DEAD_LETTERS, INPUTS, TopicNames
from streams.adapt.formats import known
from streams.cli.completion import names_or_files
from streams.cli.ending import when_told_to_end
from streams.cli.logging import logging_options
from streams.cli.options import broker_option, listen_address, partitioner_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo
from streams.engine.errors import FatalError, LogError
from streams.engine.listening import address_of, listening
from streams.engine.log.kafka import KafkaSettings
from streams.ingest.delivery import Delivery
from streams.ingest.handling import Bounds, Handling, Served
from streams.ingest.health import Health
from streams.ingest.metrics import IngestMetrics
from streams.ingest.secrets import BadSecret, read_secrets
from streams.ingest.server import taking
from streams.ingest.serving import BadSetUp, by_format, served_formats
from streams.produce.writer import EventWriter
from streams.stages.intake import Partitioner
from streams.worker.endpoint import endpoint

#: Seconds for one request to the brokers.
_REQUEST = 10.0
_POSITIVE = click.IntRange(min=1)


@click.command("ingest")
@click.option("--listen", callback=listen_address, default="127.0.0.1:8081", show_default=True, metavar="HOST:PORT",
              help="Where to take pushes, at /push/FORMAT; port 0 takes a free one.")  # fmt: skip
@click.option("--push", "pushes", multiple=True, metavar="FORMAT|FILE", shell_complete=names_or_files(known),
              help="A format of `adapt` to take, or a TOML file that describes one; may be given again; default: all "
                   "that have a secret.")  # fmt: skip
@click.option("--secrets", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER",
              help="A file for each format, with its secret; besides PARCELWATCH_INGEST_SECRET_<FORMAT>.")  # fmt: skip
@click.option("--insecure-without-check", "unchecked", multiple=True, metavar="FORMAT|FILE",
              help="Take this format from anybody who finds the address; may be given again.")  # fmt: skip
@click.option("--tz", "zones", multiple=True, metavar="[FORMAT=]ZONE",
              help="Zone of times without an offset, in place of the format's.")  # fmt: skip
@click.option("--carrier", "carriers", multiple=True, metavar="[FORMAT=]NAME", help="Where a push names no carrier.")
@click.option("--shop", "shops", multiple=True, metavar="[FORMAT=]ID", help="Where a push of an order names no shop.")
@click.option(
    "--by-shop",
    "by_shop",
    multiple=True,
    metavar="FORMAT",
    help="Each shop numbers its orders and buyers by itself: put the shop before their ids; may be given again.",
)
@click.option("--max-body", type=click.IntRange(1_024, 64 << 20), default=1 << 20, show_default=True, metavar="BYTES",
              help="Of a push, as sent and unpacked; larger ones are answered with 413.")  # fmt: skip
@click.option("--at-once", type=_POSITIVE, default=256, show_default=True, metavar="N",
              help="Pushes that are worked on at once.")  # fmt: skip
@click.option("--waiting", type=click.IntRange(min=0), default=1024, show_default=True, metavar="N",
              help="Pushes that may wait for that; more are answered with 503.")  # fmt: skip
@click.option("--delivery-timeout", type=click.FloatRange(0.1, 120), default=4.0, show_default=True, metavar="SECONDS",
              help="For Kafka to take a push; behind it the answer is 503.")  # fmt: skip
@click.option("--dead-letter-payload", is_flag=True,
              help="Dead letters hold the push, which may name people.")  # fmt: skip
@click.option("--metrics-port", type=click.IntRange(0, 65535), metavar="PORT",
              help="Where to serve /metrics, /livez and /readyz; off if not set.")  # fmt: skip
@click.option("--metrics-host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Its address.")
@broker_option
@topics_option
@partitioner_option
@logging_options
@security_options
def ingest_command(
    listen: tuple[str, int],
    pushes: tuple[str, ...],
    secrets: Path | None,
    unchecked: tuple[str, ...],
    zones: tuple[str, ...],
    carriers: tuple[str, ...],
    shops: tuple[str, ...],
    by_shop: tuple[str, ...],
    max_body: int,
    at_once: int,
    waiting: int,
    delivery_timeout: float,
    dead_letter_payload: bool,
    metrics_port: int | None,
    metrics_host: str,
    broker: str,
    topics: TopicNames,
    partitioner: Partitioner,
    client: dict[str, Any],
) -> int:
    """Take carriers' and platforms' pushes over HTTP, and put their events into Kafka.

    A push is answered as its platform expects it, once Kafka has all of its events. Who sends it is checked by the
    platform's signature, or by a bearer token: each format needs a secret, in PARCELWATCH_INGEST_SECRET_<FORMAT> (as
    PARCELWATCH_INGEST_SECRET_KUAIDI100) or in a file of --secrets; two of them while one replaces the other.
    """
    try:
        served = served_formats(
            pushes,
            unchecked,
            read_secrets(os.environ, secrets),
            tz=by_format("--tz", zones),
            carrier=by_format("--carrier", carriers),
            shop=by_format("--shop", shops),
            by_shop=by_shop,
        )
    except (BadSecret, BadSetUp) as error:
        raise click.UsageError(str(error)) from None
    metrics = IngestMetrics([one.name for one in served])
    metrics.certificates.client = client
    make = partial(EventWriter, KafkaSettings(bootstrap=broker, client=client, request_timeout=_REQUEST), partitioner)
    delivery = Delivery(make, topics.all((*INPUTS, INGEST_DEAD_LETTERS)), delivery_timeout, metrics.ready)
    bounds = Bounds(body=max_body, at_once=at_once, waiting=waiting)
    handling = Handling(delivery, metrics, topics, bounds, with_payload=dead_letter_payload)
    try:
        return asyncio.run(_serve(listen, (metrics_host, metrics_port), served, bounds, handling, delivery, metrics))
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None
    except FatalError as error:
        raise click.ClickException(str(error)) from None


async def _serve(
    listen: tuple[str, int],
    watching: tuple[str, int | None],
    served: list[Served],
    bounds: Bounds,
    handling: Handling,
    delivery: Delivery,
    metrics: IngestMetrics,
) -> int:
    """Serves until a signal comes. Raises `LogError` and `FatalError` where it cannot begin."""
    stop = asyncio.Event()
    when_told_to_end(stop.set)
    listens = listening(*listen)
    health = Health(delivery)
    for one in served:
        # The words of all languages are loaded when the first is looked up: not while a platform waits.
        one.format.statuses.find("", (), "arrived")
    try:
        await delivery.open()
        beside = [asyncio.create_task(delivery.run()), asyncio.create_task(health.run())]
        async with endpoint(*watching, metrics, health), taking(listens, handling, served, bounds, health):
            address = address_of(listens)
            for one in served:
                echo(f"ingest: {address}push/{one.name}{'' if one.secrets else ' (unchecked)'}")
            await stop.wait()
        for each in beside:
            each.cancel()
        await asyncio.wait(beside)
    finally:
        await delivery.close()
    return 0
