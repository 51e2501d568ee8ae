"""What a worker can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from streams.engine.clock import Clock
from streams.engine.log.kafka_batches import BatchFormat
from streams.engine.log.kafka_codecs import Codec
from streams.engine.positions import OnLost
from streams.engine.runtime import Cadence

Guarantee = Literal["exactly_once", "at_least_once"]
StoreName = Literal["memory", "rocksdict", "file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker runs on Kafka. Times are seconds.

    `app_id` names the consumer group, the internal topics and the transactions; workers that share it share
    the work. `client` is handed to every Kafka client (security, for instance). `replication` of the
    internal topics: -1 leaves it to the broker. `guarantee`: `exactly_once`, by transactions; or
    `at_least_once`, for brokers without them. `store`: `memory`; or `rocksdict` or `file`, which keep a copy of the
    state's rows under `state_dir`, so that a restart need not read them all from Kafka. `start_patience`: how long
    brokers that do not answer are waited for at the start; `broker_patience`: how long later.
    `compression`: the codec of everything that is written; without it changelogs alone are compressed.
    `on_lost`: what to do where records are gone before they were read. `begin_anew`: whether an application without
    state may begin though its outputs hold records.
    `standbys`: how many workers follow each task that another one has, so that it is taken over warm.
    `about`: what `parcelwatch status` is told of how the worker was started; no secrets.
    `batches` reads and packs Kafka's records where it can; without it, its client does.
    `catch_up_quiet`: where the clock catches up, what has had nothing for so long is in the present.
    """

    app_id: str
    bootstrap: str = "localhost:9092"
    clock: Clock = field(default_factory=Clock.wall)
    once: bool = False
    guarantee: Guarantee = "exactly_once"
    store: StoreName = "memory"
    state_dir: Path | None = None
    standbys: int = 0
    cadence: Cadence = field(default_factory=Cadence)
    fetch_records: int = 2000
    on_lost: OnLost = "stop"
    begin_anew: bool = False
    compression: Codec | None = None
    instance_id: str | None = None
    session_timeout: float = 8.0
    transaction_timeout: float = 10.0
    request_timeout: float = 30.0
    replication: int = -1
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = None
    start_patience: float = 15.0
    broker_patience: float = 300.0
    catch_up_quiet: float = 30.0
    batches: BatchFormat | None = None
    about: Mapping[str, str] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict, repr=False)
