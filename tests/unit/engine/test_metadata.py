"""Whatever module makes a client of Kafka, that client never makes a topic by asking for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from aiokafka.protocol.metadata import MetadataRequest_v4, MetadataRequest_v5

from streams.engine.log.kafka_metadata import AskingMetadata
from tests.patience import PATIENCE
from tests.unit.cli import ROOT, environment

MAKING = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for path in Path(ROOT / "streams").rglob("*.py")
    if any(name in path.read_text() for name in ("AIOKafkaConsumer(", "AIOKafkaProducer(", "AIOKafkaAdminClient("))
)


def test_there_are_some() -> None:
    assert "streams.engine.log.kafka" in MAKING


@pytest.mark.parametrize("module", MAKING)
def test_the_requests_of_its_clients_allow_nothing(module: str) -> None:
    asked = (
        f"import {module}, aiokafka.client, aiokafka.admin.client\n"
        "print(aiokafka.client.MetadataRequest.__name__, aiokafka.admin.client.MetadataRequest.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, env=environment(), timeout=PATIENCE
    )
    assert done.stdout.split() == ["AskingMetadata"] * 2


@pytest.mark.parametrize("version", [MetadataRequest_v4, MetadataRequest_v5])
@pytest.mark.parametrize("allowed", [None, True, False])
def test_a_request_never_allows_it(version: type, allowed: bool | None) -> None:
    assert AskingMetadata(["orders"], allowed).build(version).encode()[-1:] == b"\0"
