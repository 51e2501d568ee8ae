"""A broker that wants to know who comes: the right name and password work, others are told at once."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from tests.connected.marketplace import APP, generated, produce, progress, run, running, said, some_days_after, valid
from tests.connected.marketplace import THREE as PARTITIONS
from tests.kafka_broker import Broker
from tests.kafka_broker.broker import PASSWORD, USER
from tests.kafka_broker.forwarder import forwarding

WHO = ("--security-protocol", "SASL_PLAINTEXT", "--sasl-username", USER)
VARIABLE = "PARCELWATCH_SASL_PASSWORD"


def at(kafka: Broker) -> tuple[str, ...]:
    return ("--broker", f"kafka://{kafka.secured}", "--app-id", APP, *WHO)


async def test_topics_and_worker_go_to_a_broker_that_knows_them(mortal_kafka: Broker) -> None:
    events = valid(generated(days=2))
    await run("topics", *at(mortal_kafka), "--dry-run", **{VARIABLE: PASSWORD})
    await produce(mortal_kafka, events, PARTITIONS)
    end = ("--clock", some_days_after(events), "--once")
    await run("worker", *at(mortal_kafka), *end, **{VARIABLE: PASSWORD})
    assert await progress(mortal_kafka) == len(events)
    order = next(key.decode() for topic, key, _ in events if topic == "orders")
    await run("explain", order, "--broker", f"kafka://{mortal_kafka.secured}", *WHO, **{VARIABLE: PASSWORD})
    await run("forget", "--order", order, "--dry-run", *at(mortal_kafka), **{VARIABLE: PASSWORD})


@pytest.mark.parametrize("command", ["topics", "worker"])
async def test_a_port_of_another_kind_is_told_with_the_option_that_fits(command: str, mortal_kafka: Broker) -> None:
    async with tls(mortal_kafka) as covered:
        for address, told, speaks in (
            (mortal_kafka.secured, ("PLAINTEXT",), "SASL_PLAINTEXT"),
            (mortal_kafka.bootstrap, WHO[1:], "PLAINTEXT"),
            (mortal_kafka.bootstrap, ("SSL",), "PLAINTEXT"),
            (covered, ("PLAINTEXT",), "SSL"),
            (covered, WHO[1:], "SSL"),
            (covered, ("SASL_SSL", *WHO[2:]), "SSL"),
        ):
            options = ("--broker", f"kafka://{address}", "--security-protocol", *told)
            async with running(command, *options, **{VARIABLE: PASSWORD}) as process:
                said_ = await said(process)
            assert process.returncode == 2
            (line,) = [line for line in said_.splitlines() if line.startswith("parcelwatch: ")]
            assert line.endswith(
                f"the broker at {address} speaks {speaks}, not {told[0]}: --security-protocol {speaks}"
            )


@asynccontextmanager
async def tls(kafka: Broker) -> AsyncIterator[str]:
    """An address of the broker at which it speaks TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with forwarding(kafka.bootstrap, context) as covered:
        yield covered.address


async def test_a_token_that_somebody_gives_is_taken(mortal_kafka: Broker, tmp_path: Path) -> None:
    (tmp_path / "giving.py").write_text(GIVING)
    made = tmp_path / "giving-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: giving\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("[parcelwatch.token_providers]\ngiving = giving:Giving\n")
    events = valid(generated(days=1))[:200]
    await produce(mortal_kafka, events, PARTITIONS)
    bearer = ("--security-protocol", "SASL_PLAINTEXT", "--sasl-mechanism", "OAUTHBEARER")
    broker = ("--broker", f"kafka://{mortal_kafka.secured}", "--app-id", APP, *bearer)
    path = {"PYTHONPATH": str(tmp_path)}
    end = ("--clock", some_days_after(events), "--once")
    await run("worker", *broker, *end, "--sasl-token-provider", "giving", **path, TOKEN_OF=USER)
    assert await progress(mortal_kafka) == len(events)
    for given, told in (({"TOKEN_OF": "stranger"}, "the brokers deny "), ({}, "no token: nobody")):
        async with running("worker", *broker, "--sasl-token-provider", "giving", **path, **given) as process:
            line = (await said(process)).splitlines()[-1]
        assert process.returncode == 2
        assert told in line


#: Gives tokens that nobody has signed, to the name in `TOKEN_OF`.
GIVING = """
import base64, json, os, time

class Giving:
    async def token(self):
        if "TOKEN_OF" not in os.environ:
            raise RuntimeError("nobody")
        claims = {"sub": os.environ["TOKEN_OF"], "iat": time.time() - 1, "exp": time.time() + 600}
        parts = [json.dumps(each).encode() for each in ({"alg": "none"}, claims)]
        return ".".join([base64.urlsafe_b64encode(each).decode().rstrip("=") for each in parts] + [""])
"""


async def test_a_wrong_password_is_told_at_once_and_in_one_line(mortal_kafka: Broker) -> None:
    broker = ("--broker", f"kafka://{mortal_kafka.secured}", *WHO)
    for arguments in (
        ("topics", *broker),
        ("worker", "--start-patience", "600", *broker),
        ("explain", "P1", *broker),
        ("forget", "--order", "o1", *broker),
    ):
        async with running(*arguments, **{VARIABLE: "guessed"}) as process:
            told = await said(process)
        assert process.returncode == 2
        (line,) = [line for line in told.splitlines() if line.startswith("parcelwatch: ")]
        assert f"the broker at {mortal_kafka.secured} and this client do not accept each other: " in line
        assert "guessed" not in told
        assert "Traceback" not in told
