"""What is said of security reaches every Kafka client, and no secret goes anywhere else."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner, Result

from streams.cli import main
from streams.cli.main import command_of
from streams.cli.security import KEY_PASSWORD, SASL_PASSWORD
from streams.console import command as console
from streams.engine.errors import FatalError
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_codecs import codecs
from streams.engine.log.kafka_group import KafkaMember
from streams.engine.log.kafka_plain import KafkaPlainWriter
from streams.engine.log.kafka_writer import KafkaWriter
from streams.explain import broker
from streams.forget import command as forget
from streams.generate import command as generate
from streams.grow import command as grow
from streams.ingest import command as ingest
from streams.notify import command as notify
from streams.produce import command as produce
from streams.redrive import command as redrive
from streams.reset import command as reset
from streams.status import command as status
from streams.topics import command as topics
from streams.topics.report import Report
from streams.worker import WorkerSettings
from streams.worker import command as worker
from tests.patience import PATIENCE

SECRET = "correct horse"  # noqa: S105
#: A file without secrets.
NOTIFY = Path(__file__).parent / "notify.toml"
SASL = ("--security-protocol", "SASL_SSL", "--sasl-mechanism", "SCRAM-SHA-512", "--sasl-username", "pw")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the commands would connect with: they are stopped right before it."""
    found: list[Any] = []

    def keep_settings(settings: WorkerSettings, *_: Any) -> int:
        found.append(settings.client)
        return 0

    async def keep_client(_broker: str, _settings: Any, dry_run: bool, client: dict[str, Any]) -> Report:
        found.append(client)
        return Report((), (), (), dry_run)

    async def keep_last(*arguments: Any) -> Any:
        found.append(arguments[-1])
        raise FatalError("far enough")

    async def keep_fourth(_broker: str, _app_id: str, _topics: Any, client: dict[str, Any], _seconds: float) -> Any:
        found.append(client)
        raise FatalError("far enough")

    def keep_input(_broker: str, _partitioner: Any, client: dict[str, Any], _topics: Any) -> Any:
        found.append(client)
        raise FatalError("far enough")

    async def keep_sending(_records: Any, sending: Any, *_: Any) -> int:
        found.append(sending.client)
        return 0

    def keep_connection(*arguments: Any) -> Any:
        found.append(arguments[-1])
        raise FatalError("far enough")

    async def keep_console(_settings: Any, kafka: KafkaSettings) -> int:
        found.append(dict(kafka.client))
        return 0

    def keep_writer(settings: KafkaSettings, *_: Any) -> Any:
        found.append(dict(settings.client))
        raise FatalError("far enough")

    monkeypatch.setattr(produce, "EventWriter", keep_writer)
    monkeypatch.setattr(ingest, "EventWriter", keep_writer)

    def keep_notifier(_settings: Any, where: Any, _start: str) -> int:
        found.append(where.client)
        return 0

    monkeypatch.setattr(console, "serve", keep_console)
    monkeypatch.setattr(notify, "run_notifier", keep_notifier)
    monkeypatch.setattr(grow, "connected", keep_connection)
    monkeypatch.setattr(redrive, "connected", keep_connection)
    monkeypatch.setattr(reset, "connected", keep_connection)
    monkeypatch.setattr(generate, "produce", keep_sending)
    monkeypatch.setattr(status, "look", keep_fourth)
    monkeypatch.setattr(worker, "run_worker", keep_settings)
    monkeypatch.setattr(topics, "ensure", keep_client)
    monkeypatch.setattr(forget.run, "forget", keep_last)
    monkeypatch.setattr(broker, "BrokerInput", keep_input)
    return found


#: The commands that connect, with what each needs beside the broker.
CONNECTING: dict[str, tuple[click.Command, tuple[str, ...]]] = {
    "worker": (command_of("worker"), ()),
    "topics": (command_of("topics"), ()),
    "console": (command_of("console"), ()),
    "explain": (command_of("explain"), ("P1", "--broker", "kafka://127.0.0.1:1")),
    "forget": (command_of("forget"), ("--order", "o1")),
    "grow": (command_of("grow"), ("copy", "--to-app-id", "two", "--to-prefix", "v2.")),
    "notify": (command_of("notify"), ("--config", str(NOTIFY))),
    "redrive": (command_of("redrive"), ()),
    "reset": (command_of("reset"), ("--yes",)),
    "status": (command_of("status"), ()),
    "produce": (command_of("produce"), (__file__,)),
    "ingest": (command_of("ingest"), ("--insecure-without-check", "kuaidi100", "--listen", "127.0.0.1:0")),
    "generate": (command_of("generate"), ("--broker", "kafka://127.0.0.1:1")),
}
COMMANDS = pytest.mark.parametrize("name", CONNECTING)


def invoke(name: str, *options: str, **variables: str | None) -> Result:
    command, needed = CONNECTING[name]
    return CliRunner().invoke(command, (*needed, *options), env=variables)


def test_every_command_that_takes_a_broker_takes_them() -> None:
    connecting = {name for name in main.COMMANDS if any("--broker" in each.opts for each in command_of(name).params)}
    assert connecting == CONNECTING.keys()


@COMMANDS
def test_without_options_clients_speak_plainly(name: str, asked: list[Any]) -> None:
    invoke(name)
    assert asked == [{"security_protocol": "PLAINTEXT"}]


@COMMANDS
def test_name_password_and_authorities_reach_the_client(name: str, asked: list[Any]) -> None:
    invoke(name, *SASL, **{SASL_PASSWORD: SECRET})
    (client,) = asked
    context = client.pop("ssl_context")
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert client == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "pw",
        "sasl_plain_password": SECRET,
    }


@COMMANDS
def test_a_password_in_a_file_is_read_when_a_connection_is_made(name: str, asked: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    invoke(name, *SASL, "--sasl-password-file", str(file), **{SASL_PASSWORD: "another"})
    (client,) = asked
    assert client["sasl_plain_password"].current() == SECRET
    file.write_text("battery staple\n")
    assert client["sasl_plain_password"].current() == "battery staple"


async def test_every_client_of_a_worker_is_made_with_it() -> None:
    given = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "PLAIN", "sasl_plain_username": "pw"}
    given["sasl_plain_password"] = SECRET
    settings = KafkaSettings(bootstrap="127.0.0.1:1", client=given, request_timeout=2)
    log = KafkaLog(settings)
    starting = asyncio.create_task(log.start())
    await asyncio.sleep(0)
    member = KafkaMember("g", ["t"], None, settings.reading(), 6.0, None, None)  # type: ignore[arg-type]
    strict = KafkaWriter("t", "g", settings.common(), 10, codecs(None), settings.heard)
    plain = KafkaPlainWriter("t", settings.common(), 10, codecs(None), settings.heard, {}, None, None)  # type: ignore[arg-type]
    made = [log._admin, log._probe, member._consumer, strict._sending.producer, plain._sending.producer]
    for each in made:
        client = each.client if isinstance(each, AIOKafkaProducer) else each._client  # type: ignore[union-attr]
        assert {name: getattr(client, f"_{name}") for name in given} == given
    starting.cancel()
    await asyncio.wait([starting])
    await asyncio.gather(log.stop(), member.close(), strict.close(), plain.close())


def test_settings_do_not_show_the_secret() -> None:
    client = {"sasl_plain_password": SECRET}
    for settings in (WorkerSettings(app_id="pw", client=client), KafkaSettings(bootstrap="b:1", client=client)):
        assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            SASL,
            f"--security-protocol SASL_SSL needs --sasl-username and a password in {SASL_PASSWORD} or "
            "--sasl-password-file",
        ),
        ((*SASL, "--sasl-password-file", os.devnull), f"--sasl-password-file {os.devnull}: there is no password in it"),
        (
            (
                *SASL[:2],
                "--sasl-mechanism",
                "OAUTHBEARER",
                "--sasl-token-provider",
                "msk",
                "--sasl-password-file",
                __file__,
            ),
            "--sasl-password-file is not for --sasl-mechanism OAUTHBEARER",
        ),
        (
            ("--sasl-password-file", __file__),
            "--sasl-password-file needs --security-protocol SASL_SSL or SASL_PLAINTEXT",
        ),
        (
            ("--sasl-token-provider", "msk"),
            "--sasl-token-provider needs --security-protocol SASL_SSL or SASL_PLAINTEXT",
        ),
        ((*SASL, "--sasl-token-provider", "msk"), "--sasl-token-provider needs --sasl-mechanism OAUTHBEARER"),
        ((*SASL[:2], "--sasl-mechanism", "OAUTHBEARER"), "OAUTHBEARER needs --sasl-token-provider"),
        (("--sasl-username", "pw"), "--sasl-username needs --security-protocol SASL_SSL or SASL_PLAINTEXT"),
        (("--ssl-cafile", __file__), "--ssl-cafile needs --security-protocol SSL or SASL_SSL"),
        (("--security-protocol", "SSL", "--ssl-keyfile", __file__), "--ssl-keyfile needs --ssl-certfile"),
    ],
)
@COMMANDS
def test_what_does_not_go_together_is_told(name: str, options: tuple[str, ...], told: str, asked: list[Any]) -> None:
    done = invoke(name, *options, **{SASL_PASSWORD: None})
    assert done.exit_code == 2
    assert told in done.output
    assert not asked


@COMMANDS
def test_a_file_that_is_no_certificate_is_told_by_its_name(name: str, asked: list[Any]) -> None:
    done = invoke(name, "--security-protocol", "SSL", "--ssl-cafile", __file__)
    assert done.exit_code == 2
    assert f"--ssl-cafile {__file__}" in done.output
    assert not asked


def test_the_password_is_no_option() -> None:
    for command, _ in CONNECTING.values():
        names = {name for parameter in command.params for name in (*parameter.opts, str(parameter.envvar))}
        assert {name for name in names if "password" in name.lower()} <= {
            "--sasl-password-file",
            "PARCELWATCH_SASL_PASSWORD_FILE",
        }
        assert not names & {SASL_PASSWORD, KEY_PASSWORD}


def test_a_worker_that_finds_no_broker_says_nothing_of_the_secret(tmp_path: Path) -> None:
    options = ("--broker", "kafka://127.0.0.1:1", "--security-protocol", "SASL_PLAINTEXT", "--sasl-username", "pw")
    done = subprocess.run(
        [sys.executable, "-m", "streams", "worker", *options, "--start-patience", "0.6"],
        check=False, capture_output=True, text=True, timeout=PATIENCE, env={SASL_PASSWORD: SECRET},
    )  # fmt: skip
    assert done.returncode == 2
    first, *waiting, last = done.stderr.splitlines()
    assert "event='worker starts'" in first
    assert waiting
    assert all("event='waiting for the brokers'" in line for line in waiting)
    assert last == "parcelwatch: the broker cannot be used: connecting to 127.0.0.1:1: no broker answers"
    assert SECRET not in done.stdout + done.stderr
