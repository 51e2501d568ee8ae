"""The stall watch written with PyFlink's DataStream API, exactly once.

    python pyflink_app.py BOOTSTRAP GROUP SCANS ALERTS FOLDER MODE CONNECTOR

MODE is PyFlink's: `thread`, with Python in the JVM's own process, or `process`. CONNECTOR is the jar of the Kafka
connector. Watermarks are of the time that Kafka has of a record, which no scan is ahead of: a timestamp assigner would
be one more call of Python for each scan.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import sysconfig
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from pyflink.common import Configuration, Duration, Types, WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetResetStrategy,
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.state import ValueStateDescriptor

#: In milliseconds.
WEEK = 168 * 3_600_000
TERMINAL = {"delivered", "returned", "destroyed"}
SCAN = Types.TUPLE([Types.STRING(), Types.LONG(), Types.BOOLEAN()])


def scan(value: str) -> tuple[str, int, bool]:
    """Tracking number, time in milliseconds, whether the parcel is at its end."""
    fields = json.loads(value)
    at = datetime.fromisoformat(fields["occurred_at"])
    return fields["tracking_no"], int(at.timestamp() * 1000), fields["status"] in TERMINAL


def alert(key: str, status: str, at: int) -> str:
    return json.dumps({"tracking_no": key, "status": status, "time": at})


class Stalls(KeyedProcessFunction):
    """Raises at the last scan plus a week, and resolves with the next one.

    A parcel has one timer, which is not moved with each scan: once it fires it finds that the parcel was scanned since.
    """

    def open(self, runtime_context: RuntimeContext) -> None:
        self._parcels = runtime_context.get_state(
            ValueStateDescriptor("parcels", Types.TUPLE([Types.LONG(), Types.BOOLEAN()]))
        )

    def process_element(self, value: tuple[str, int, bool], ctx: KeyedProcessFunction.Context) -> Iterator[str]:
        key, at, terminal = value
        parcel = self._parcels.value()
        if parcel is None:
            if not terminal:
                self._parcels.update((at, False))
                self._watch(ctx, at)
            return
        last, stalled = parcel
        if at > last:
            if stalled:
                yield alert(key, "resolved", at)
                self._watch(ctx, at)
            elif at - last > WEEK:
                yield alert(key, "raised", last + WEEK)
                yield alert(key, "resolved", at)
        if terminal:
            self._parcels.clear()
        elif at > last:
            self._parcels.update((at, False))

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[str]:
        parcel = self._parcels.value()
        if parcel is None:
            return
        last, stalled = parcel
        if stalled:
            return
        if last + WEEK < timestamp:
            yield alert(ctx.get_current_key(), "raised", last + WEEK)
            self._parcels.update((last, True))
        else:
            self._watch(ctx, last)

    def _watch(self, ctx: Any, last: int) -> None:
        ctx.timer_service().register_event_time_timer(last + WEEK + 1)


def settings(folder: str, mode: str, connector: str) -> Configuration:
    found = Configuration()
    found.set_string("python.execution-mode", mode)
    found.set_string("python.executable", sys.executable)
    found.set_string("python.client.executable", sys.executable)
    found.set_string("pipeline.jars", Path(connector).absolute().as_uri())
    found.set_string("execution.checkpointing.storage", "filesystem")
    found.set_string("execution.checkpointing.dir", Path(folder).absolute().as_uri())
    found.set_string("taskmanager.memory.managed.size", "256m")
    return found


def main(bootstrap: str, group: str, scans: str, alerts: str, folder: str, mode: str, connector: str) -> None:
    flow = StreamExecutionEnvironment.get_execution_environment(settings(folder, mode, connector))
    flow.set_parallelism(1)
    flow.enable_checkpointing(500)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(bootstrap)
        .set_group_id(group)
        .set_topics(scans)
        .set_starting_offsets(KafkaOffsetsInitializer.committed_offsets(KafkaOffsetResetStrategy.EARLIEST))
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    sink = (
        KafkaSink.builder()
        .set_bootstrap_servers(bootstrap)
        .set_record_serializer(
            KafkaRecordSerializationSchema.builder()
            .set_topic(alerts)
            .set_value_serialization_schema(SimpleStringSchema())
            .build()
        )
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(group)
        .set_property("transaction.timeout.ms", "600000")
        .build()
    )
    event_time = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_hours(1))
    stream = flow.from_source(source, event_time, "scans").map(scan, output_type=SCAN)
    stream.key_by(lambda value: value[0], key_type=Types.STRING()).process(
        Stalls(), output_type=Types.STRING()
    ).sink_to(sink)
    flow.execute("stall watch")


def _adopt() -> None:
    """What its JVM leaves behind becomes this process's child: so the kernel counts it to this one."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1)


def _end(*_: object) -> None:
    """Ends all processes of this session, and waits for them, which is when their CPU time is counted to this one."""
    session = os.getsid(0)
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid() and _session(entry) == session:
                os.kill(int(entry.name), signal.SIGTERM)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        time.sleep(0.1)
    os._exit(0)


def _session(entry: Path) -> int | None:
    try:
        return os.getsid(int(entry.name))
    except OSError:
        return None


if __name__ == "__main__":
    _adopt()
    # In thread mode Python starts within the JVM and knows no virtual environment but by this.
    os.environ["PYTHONPATH"] = sysconfig.get_path("purelib")
    signal.signal(signal.SIGTERM, _end)
    main(*sys.argv[1:8])
