"""The catalogue of metrics, what a worker really shows of it, and Prometheus' own opinion of that."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from schemas.times import SECOND
from schemas.topics import INPUTS, OUTPUTS
from streams import metrics_page
from streams.engine.clock import Clock
from streams.engine.errors import LogError
from streams.engine.log.certificates import CertificateFiles, RenewedContext
from streams.engine.log.interface import TopicPartition
from streams.engine.partitioner import partition_for
from streams.engine.processor import BEGINNING
from streams.engine.task import Task
from streams.engine.topology import TaskId, Topology
from streams.policy import load
from streams.rules.alert_types import ALERT_TYPES
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.intake import Counts
from streams.stages.task_context import Setting
from streams.worker import Embedded, Metrics
from streams.worker.catalogue import CATALOGUE, SECTIONS
from streams.worker.health import KINDS, Health
from streams.worker.rule_metrics import RuleMetrics
from tests.kafka_broker.certificates import AUTHORITY, CERTIFICATE, KEY, Authority, Secret
from tests.patience import PATIENCE

#: What a label may be. None of them names a shop, an order, an item, a buyer, a parcel or a facility.
LABELS = {
    "topic", "partition", "task", "input", "holder", "kind", "error", "reason", "type", "severity", "status",
    "audience", "level", "carrier", "event", "change", "table", "application", "version", "policy", "native",
    "step", "certificate",
}  # fmt: skip
TYPES = {"counter": "counter", "gauge": "gauge", "histogram": "histogram"}


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a worker shows whose tasks run and which has read a few events."""
    return asyncio.run(scrape(tmp_path_factory.mktemp("state")))


async def scrape(state: Path) -> bytes:
    policy = load.default()
    counts = Counts()
    setting = Setting(policy, 2, 2, partition_for, lambda: 0, counts)
    metrics = Metrics()
    metrics.build("app", "1.0", policy.label, "off")
    metrics.state_dir(state)
    metrics.registry.register(RuleMetrics(counts, metrics.processors))
    topics = {**dict.fromkeys(INPUTS, 2), **dict.fromkeys(OUTPUTS, 1)}
    worker = Embedded(
        dataflow(policy),
        lambda _: lambda kind, partition: processor(setting, kind, partition),
        clock=Clock.wall(),
        topics=topics,
        metrics=metrics,
    )
    value = metrics.registry.get_sample_value
    async with worker, asyncio.timeout(PATIENCE):
        worker.append("orders", b"?", b"no event")
        while not value("parcelwatch_dead_letters_total", {"topic": "orders", "reason": "not_json"}):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        metrics.followed(TaskId("orders", 1), 1, 0)
        while True:
            shown = generate_latest(metrics.registry)
            if b"parcelwatch_watermark_timestamp_seconds{" in shown and b"parcelwatch_late_ratio{" in shown:
                return shown
            # What is of the last minute is over soon, where the machine is slow.
            worker.append("orders", b"?", b"no event")
            await asyncio.sleep(0.01)


def exposed(text: bytes) -> dict[str, str]:
    """The type of every metric in a scrape."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text.decode(), re.MULTILINE))


def test_a_worker_shows_the_metrics_of_the_catalogue_and_no_others(scraped: bytes) -> None:
    assert exposed(scraped) == {entry.name: entry.kind for entry in CATALOGUE.values()}


def test_every_series_has_the_labels_of_the_catalogue(scraped: bytes) -> None:
    text = scraped.decode()
    seen = set()
    for name, labels in re.findall(r"^([a-z_]+?)(?:_bucket|_sum|_count)?(?:{(.*)})? \S+$", text, re.MULTILINE):
        found = set(re.findall(r'(\w+)="', labels)) - {"le"}
        assert found == set(CATALOGUE[name].labels), name
        seen.add(name)
    # Only these have no series until something happens.
    assert CATALOGUE.keys() - seen == {
        "parcelwatch_carrier_silent",
        "parcelwatch_certificate_start_timestamp_seconds",
        "parcelwatch_certificate_expiry_timestamp_seconds",
    }


def test_no_series_tells_when_it_was_created(scraped: bytes) -> None:
    assert b"_created" not in scraped


def test_prometheus_finds_nothing_to_complain_of(scraped: bytes) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("no promtool: install Prometheus (Debian: apt install prometheus)")
    told = subprocess.run(["promtool", "check", "metrics"], input=scraped, capture_output=True, check=False)
    assert (told.returncode, told.stdout + told.stderr) == (0, b"")


def test_the_page_is_that_of_the_catalogue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert metrics_page.main(["--check"]) == 0
    old = tmp_path / "metrics.md"
    assert metrics_page.main(["--check", str(old)]) == 1
    assert "not current" in capsys.readouterr().err
    metrics_page.main([str(old)])
    assert metrics_page.main(["--check", str(old)]) == 0
    assert all(f"| `{name}` |" in old.read_text() for name in CATALOGUE)


def test_names_follow_the_conventions() -> None:
    for name, entry in CATALOGUE.items():
        assert (entry.kind == "counter") == name.endswith("_total"), name
        assert (entry.kind == "histogram") == bool(entry.buckets), name
        assert set(entry.labels) <= LABELS, name
        unit = entry.unit.split(" ")[0]
        if unit in {"seconds", "bytes", "ratio"}:
            assert name.removesuffix("_total").endswith(f"_{unit}"), name
        assert ("since 1970" in entry.unit) == name.endswith(("_timestamp_seconds", "_start_time_seconds")), name
        assert entry.meaning
        assert entry.act
        assert "|" not in entry.meaning + entry.act
    assert sum(len(section.entries) for section in SECTIONS) == len(CATALOGUE)


def test_every_type_of_alert_has_its_series_from_the_start() -> None:
    counts = Counts()
    name = next(iter(ALERT_TYPES))
    counts.alerts[name, "raised"] += 2
    samples = next(family for family in RuleMetrics(counts).collect() if family.name == "parcelwatch_alerts").samples
    found = {(one.labels["type"], one.labels["severity"], one.labels["status"]): one.value for one in samples}
    wanted = {(key, kind.severity, status) for key, kind in ALERT_TYPES.items() for status in ("raised", "resolved")}
    assert found.keys() == wanted
    assert {key: value for key, value in found.items() if value} == {(name, ALERT_TYPES[name].severity, "raised"): 2}


@pytest.fixture
def metrics() -> Metrics:
    found = Metrics()
    found.begin(Topology("app", dataflow(load.default()), {"orders": 1, "shipments": 1}), Health())
    return found


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"parcelwatch_{name}", labels)


def restored(metrics: Metrics) -> Task:
    """A task that reads partition 3."""
    topology = Topology("app", dataflow(load.default()), {"orders": 4, "shipments": 4})
    setting = Setting(load.default(), 4, 4, partition_for, lambda: 0, Counts())
    task = Task(topology, TaskId("orders", 3), processor(setting, "orders", 3), Clock.stream(), lambda: 0, {})
    metrics.restored(task, 0, 0.0)
    return task


def test_nothing_is_told_of_a_partition_that_is_another_workers_now(metrics: Metrics) -> None:
    source, place = TopicPartition("orders", 3), {"topic": "orders", "partition": "3"}
    task = restored(metrics)
    metrics.lag(source, 7, 100 * SECOND, 40 * SECOND)
    metrics.held_up(source, 7)
    metrics.forget(task.id)
    told = [value(metrics, name, **place) for name in ("lag_records", "lag_seconds", "held_up_records")]
    metrics.lag(source, 7, 100 * SECOND, 40 * SECOND)
    metrics.held_up(source, 0)
    told += [value(metrics, name, **place) for name in ("lag_records", "lag_seconds", "held_up_records")]
    assert told == [None] * 6


def test_the_lag_in_event_time_is_none_where_nothing_is_left_to_read(metrics: Metrics) -> None:
    source, place = TopicPartition("orders", 3), {"topic": "orders", "partition": "3"}
    restored(metrics)
    metrics.lag(source, 7, 100 * SECOND, BEGINNING)
    assert (value(metrics, "lag_records", **place), value(metrics, "lag_seconds", **place)) == (7, None)
    metrics.lag(source, 7, 100 * SECOND, 40 * SECOND)
    assert value(metrics, "lag_seconds", **place) == 60
    metrics.lag(source, 1, 100 * SECOND, 101 * SECOND)
    assert value(metrics, "lag_seconds", **place) == 0
    metrics.lag(source, 0, 100 * SECOND, 40 * SECOND)
    assert (value(metrics, "lag_records", **place), value(metrics, "lag_seconds", **place)) == (0, 0)


def test_health_is_asked_when_metrics_are() -> None:
    metrics, health = Metrics(), Health()
    metrics.begin(Topology("app", dataflow(load.default()), {"orders": 1, "shipments": 1}), health)
    assert (value(metrics, "ready"), value(metrics, "not_ready", reason="starting")) == (0, 1)
    health.well("starting")
    assert [value(metrics, "not_ready", reason=kind) for kind in KINDS] == [0] * len(KINDS)
    assert value(metrics, "ready") == 1
    # The event loop need not come round for that.
    turned = value(metrics, "loop_turn_timestamp_seconds")
    health._beaten -= 6
    assert value(metrics, "not_ready", reason="loop") == 1
    assert (value(metrics, "loop_turn_timestamp_seconds") or 0) == pytest.approx((turned or 0) - 6, abs=1)


def test_a_commit_that_fails_is_counted_by_its_error(metrics: Metrics) -> None:
    assert value(metrics, "commit_failures_total", kind="orders", error="LogError") == 0
    metrics.commit_failed(TaskId("orders", 0), LogError("no answer"))
    assert value(metrics, "commit_failures_total", kind="orders", error="LogError") == 1


def test_a_worker_tells_when_its_certificates_run_out(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.issue("worker", 3600)
    secret = Secret(tmp_path / "tls", {AUTHORITY: authority.pem, CERTIFICATE: certificate, KEY: key})
    metrics = Metrics()
    metrics.certificates.client = {
        "ssl_context": RenewedContext(CertificateFiles(secret / AUTHORITY, secret / CERTIFICATE, secret / KEY))
    }

    def told(what: str) -> float:
        name = f"parcelwatch_certificate_{what}_timestamp_seconds"
        return metrics.registry.get_sample_value(name, {"certificate": "client"}) or 0.0

    assert told("start") == pytest.approx(time.time() - 3600, abs=60)
    assert told("expiry") == pytest.approx(time.time() + 3600, abs=60)
    certificate, key = authority.issue("worker", 7200)
    secret.hold({AUTHORITY: authority.pem, CERTIFICATE: certificate, KEY: key})
    # Though no connection has been made.
    assert told("expiry") == pytest.approx(time.time() + 7200, abs=60)
