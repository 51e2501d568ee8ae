"""`parcelwatch worker`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import click
import structlog

from schemas.times import parse
from schemas.topics import OUTPUTS, TopicNames
from streams.cli.logging import logging_options
from streams.cli.options import (
    app_id_option,
    broker_option,
    buyer_key_option,
    crc32,
    native_option,
    partitioner_option,
    policy_option,
    topics_option,
)
from streams.cli.security import security_options
from streams.engine.clock import Clock, Mode, system_now
from streams.engine.log.certificates import expiry, validity_of
from streams.engine.log.kafka_batches import BatchFormat
from streams.engine.log.kafka_codecs import Codec
from streams.engine.positions import OnLost
from streams.engine.processor import Record
from streams.engine.runner import Factory
from streams.engine.runtime import Cadence
from streams.policy.model import Policy
from streams.stages.buyer_hash import BuyerHash
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK, dataflow
from streams.stages.factory import processor
from streams.stages.intake import Counts, Partitioner
from streams.stages.shipments.native_scans import used
from streams.stages.task_context import Setting
from streams.worker.metrics import Metrics
from streams.worker.rule_metrics import RuleMetrics, TwoNames
from streams.worker.run import run_worker
from streams.worker.settings import Guarantee, StoreName, WorkerSettings

log = structlog.get_logger(__name__)


def _clock(_context: click.Context, parameter: click.Parameter, value: str) -> Clock:
    if value == "wall":
        return Clock.wall()
    if value == "stream":
        return Clock.stream()
    try:
        return Clock.end(parse(value))
    except ValueError as error:
        raise click.BadParameter(f"{value}: wall, stream or an RFC 3339 time: {error}", param=parameter) from None


@click.command("worker")
@broker_option
@app_id_option
@policy_option
@topics_option
@click.option(
    "--clock", callback=_clock, default="wall", show_default=True, metavar="wall|stream|TIME",
    help="What advances a partition read to its end: the wall clock, events only, or a fixed end at TIME.",
)  # fmt: skip
@click.option("--once", is_flag=True, help="With --clock TIME: exit once everything has reached TIME and is committed.")
@click.option("--mute", is_flag=True, help="Put everything out into topics of this application's own: see `grow`.")
@click.option("--catch-up", is_flag=True,
              help="First read a past stream by event time, then follow the clock.")  # fmt: skip
@click.option("--catch-up-quiet", type=click.FloatRange(0.1, 86_400), default=30.0, show_default=True,
              metavar="SECONDS", help="With --catch-up: what has had nothing for so long is present.")  # fmt: skip
@partitioner_option
@native_option
@click.option("--commit-interval", type=click.FloatRange(min=0.01, max=60), default=0.5, show_default=True,
              metavar="SECONDS",
              help="Seconds between two transactions of a task; one with an alert comes sooner.")  # fmt: skip
@click.option("--guarantee", type=click.Choice(get_args(Guarantee)), default="exactly_once", show_default=True,
              help="At least once is for brokers without transactions: alerts may repeat, under one id.")  # fmt: skip
@click.option("--store", type=click.Choice(get_args(StoreName)), default="memory", show_default=True,
              help="rocksdict and file keep a copy of the state on disk: a restart reads less from Kafka.")  # fmt: skip
@click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Folder of --store rocksdict or file.")  # fmt: skip
@click.option("--standbys", type=click.IntRange(0, 10), default=0, show_default=True, metavar="N",
              help="Number of other workers that follow each task's state and can take it over at once.")  # fmt: skip
@click.option("--fetch-records", type=click.IntRange(1, 100_000), default=2000, show_default=True, metavar="N",
              help="Records of a partition to read at once.")  # fmt: skip
@click.option("--compression", type=click.Choice(get_args(Codec)), metavar="none|gzip|snappy|lz4|zstd",
              help="Compression of all records written; default: zstd for changelogs, none for the rest.")  # fmt: skip
@click.option("--begin-anew", is_flag=True,
              help="Begin without state and offsets though the outputs hold records: all is told again.")  # fmt: skip
@click.option("--on-lost-offsets", "on_lost", type=click.Choice(get_args(OnLost)), default="stop", show_default=True,
              help="If records were deleted before they were read: exit, or count them and go on.")  # fmt: skip
@click.option("--session-timeout", type=click.FloatRange(1, 300), default=8.0, show_default=True, metavar="SECONDS",
              help="Seconds of silence after which the group gives this worker's tasks to others.")  # fmt: skip
@click.option("--start-patience", type=click.FloatRange(0, 3600), default=15.0, show_default=True, metavar="SECONDS",
              help="How long to wait at the start for brokers that do not answer.")  # fmt: skip
@click.option("--broker-patience", type=click.FloatRange(1, 86_400), default=300.0, show_default=True,
              metavar="SECONDS", help="Silence of all brokers later on that ends the worker with 3.")  # fmt: skip
@click.option("--instance-id", metavar="NAME", help="Static membership: a restart under it moves no partition.")
@click.option(
    "--metrics-host", default="127.0.0.1", show_default=True, help="Address that serves /metrics, /livez and /readyz."
)
@click.option("--metrics-port", type=click.IntRange(0, 65535), help="Their port; off if not set.")
@click.option("--dead-letter-payload", is_flag=True,
              help="Dead letters carry the original bytes, which may hold personal data.")  # fmt: skip
@buyer_key_option
@logging_options
@security_options
def worker_command(
    broker: str,
    app_id: str,
    policy: Policy,
    topics: TopicNames,
    clock: Clock,
    once: bool,
    mute: bool,
    catch_up: bool,
    catch_up_quiet: float,
    partitioner: Partitioner,
    native: ModuleType | None,
    commit_interval: float,
    guarantee: Guarantee,
    store: StoreName,
    state_dir: Path | None,
    standbys: int,
    fetch_records: int,
    compression: Codec | None,
    begin_anew: bool,
    on_lost: OnLost,
    session_timeout: float,
    start_patience: float,
    broker_patience: float,
    instance_id: str | None,
    metrics_host: str,
    metrics_port: int | None,
    dead_letter_payload: bool,
    buyer_hash: BuyerHash | None,
    client: dict[str, Any],
) -> int:
    """Consume the three topics as a member of a consumer group, and write alerts and tables.

    Workers that share an application id share the work. Alerts, tables, state and offsets are one transaction:
    read the outputs with isolation level read_committed.
    """
    if once and clock.until is None:
        raise click.UsageError("--once needs --clock TIME: without an end there is none to wait for")
    if catch_up and clock.mode is not Mode.WALL:
        raise click.UsageError("--catch-up needs --clock wall: there is no present to come to without it")
    if store != "memory" and state_dir is None:
        raise click.UsageError(f"--store {store} needs --state-dir")
    if store != "memory" and guarantee != "exactly_once":
        raise click.UsageError(f"--store {store} needs --guarantee exactly_once")
    if standbys and guarantee != "exactly_once":
        raise click.UsageError("--standbys needs --guarantee exactly_once")
    if mute:
        topics = topics.muted(app_id)
    said = Counts(two_names=TwoNames())

    def factory(counts: Mapping[str, int]) -> Factory:
        setting = Setting(
            policy,
            counts[ORDERS_TASK],
            counts[SHIPMENTS_TASK],
            partitioner,
            system_now,
            said,
            dead_letter_payload=dead_letter_payload,
            buyer_hash=buyer_hash,
            topics=topics,
            native=native,
        )
        return partial(processor, setting)

    metrics = Metrics()
    metrics.build(app_id, version("parcelwatch"), policy.label, used(native))
    metrics.registry.register(RuleMetrics(said, metrics.processors, topics))
    settings = WorkerSettings(
        app_id=app_id,
        bootstrap=broker,
        clock=Clock.catching_up() if catch_up else clock,
        once=once,
        guarantee=guarantee,
        store=store,
        state_dir=state_dir,
        standbys=standbys,
        cadence=Cadence(seconds=commit_interval),
        fetch_records=fetch_records,
        compression=compression,
        on_lost=on_lost,
        begin_anew=begin_anew,
        session_timeout=session_timeout,
        instance_id=instance_id,
        metrics_host=metrics_host,
        metrics_port=metrics_port,
        start_patience=start_patience,
        broker_patience=broker_patience,
        catch_up_quiet=catch_up_quiet,
        batches=None if native is None else BatchFormat(partial(native.Records, Record), native.pack),
        about={
            "version": version("parcelwatch"),
            "policy": policy.label,
            "clock": "catch-up" if catch_up else clock.mode.value,
            "guarantee": guarantee,
            "store": store,
            "native": used(native),
            "standbys": str(standbys),
            "partitioner": "crc32" if partitioner is crc32 else "murmur2",
        },
        client=client,
    )
    expires = {f"{kind}_certificate_expires": expiry(each) for kind, each in validity_of(client).items()}
    log.info(
        "worker starts",
        version=version("parcelwatch"),
        app_id=app_id,
        policy=policy.label,
        brokers=broker,
        guarantee=guarantee,
        store=store,
        native=used(native),
        metrics=f"{metrics_host}:{metrics_port}" if metrics_port is not None else None,
        **expires,
    )
    flow = replace(dataflow(policy, topics), outputs=topics.all(OUTPUTS))
    return run_worker(settings, flow, factory, metrics)
