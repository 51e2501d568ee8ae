"""Options that several commands share."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from schemas.times import parse
from schemas.topics import TopicNames
from streams.cli.security import SASL_PASSWORD
from streams.engine.partitioner import partition_for
from streams.policy import load
from streams.policy.model import Policy
from streams.stages.buyer_hash import BuyerHash, buyer_hash
from streams.stages.intake import Partitioner

_HOST = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
_PORT = re.compile(r"[0-9]{1,5}")

Command = TypeVar("Command", bound=Callable[..., Any])


def instant(_context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    """An RFC 3339 time with an offset, as microseconds."""
    if value is None:
        return None
    try:
        return parse(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}: {value}", param=parameter) from None


def _policy(_context: click.Context, parameter: click.Parameter, value: str) -> Policy:
    try:
        return load.load(value)
    except load.BadPolicy as error:
        raise click.BadParameter(str(error), param=parameter) from None


def policy_option(command: Command) -> Command:
    """`--policy NAME|FILE`, as a checked Policy."""
    return click.option(
        "--policy",
        callback=_policy,
        default=load.DEFAULT,
        show_default=True,
        metavar="NAME|FILE",
        help="A profile that comes with parcelwatch, or a TOML or YAML file.",
    )(command)


def bootstrap(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """`kafka://HOST:PORT,HOST:PORT` as what Kafka clients take. What is refused is not repeated: it may be a secret."""
    if value is None:
        return None
    if "@" in value:
        raise click.BadParameter(
            f"a name and a password are not for the command line: --sasl-username, and {SASL_PASSWORD}",
            param=parameter,
        )
    servers = [server.removeprefix("kafka://") for server in value.removeprefix("kafka://").rstrip("/").split(",")]
    for server in servers:
        host, colon, port = server.rpartition(":")
        if not (_HOST.fullmatch(host) and colon and _PORT.fullmatch(port) and 0 < int(port) < 65536):
            raise click.BadParameter("not of the form kafka://HOST:PORT,...", param=parameter)
    return ",".join(servers)


def broker_option(command: Command) -> Command:
    """`--broker kafka://HOST:PORT,...`, as bootstrap servers."""
    return click.option(
        "--broker",
        callback=bootstrap,
        default="kafka://localhost:9092",
        show_default=True,
        metavar="kafka://HOST:PORT,...",
        help="The Kafka bootstrap brokers.",
    )(command)


def crc32(key: bytes, partitions: int) -> int:
    """The partition that librdkafka's default (consistent) chooses."""
    return zlib.crc32(key) % partitions


PARTITIONERS: dict[str, Partitioner] = {"murmur2": partition_for, "crc32": crc32}


def _partitioner(_context: click.Context, _parameter: click.Parameter, value: str) -> Partitioner:
    return PARTITIONERS[value]


def partitioner_option(command: Command) -> Command:
    """`--partitioner NAME`, as the function."""
    return click.option(
        "--partitioner",
        type=click.Choice(sorted(PARTITIONERS)),
        callback=_partitioner,
        default="murmur2",
        show_default=True,
        help="The producers' partitioner: Java's default, or librdkafka's.",
    )(command)


def app_id(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    """An application id, fit for names of topics."""
    if not value or len(value) > 100 or not all(c.isascii() and (c.isalnum() or c in "._-") for c in value):
        raise click.BadParameter("1 to 100 letters, digits, dots, dashes or underscores", param=parameter)
    return value


def app_id_option(command: Command) -> Command:
    """`--app-id ID`, fit for names of topics."""
    return click.option(
        "--app-id",
        callback=app_id,
        default="parcelwatch",
        show_default=True,
        metavar="ID",
        help="Name of the consumer group, and prefix of internal topics and transactional ids.",
    )(command)


def topic_prefix(_context: click.Context, parameter: click.Parameter, value: str) -> TopicNames:
    """A prefix, as what all topics of inputs and outputs are called."""
    try:
        return TopicNames.prefixed(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


def topics_option(command: Command) -> Command:
    """`--topic-prefix PREFIX`, as what all topics of inputs and outputs are called: `topics`."""
    return click.option(
        "--topic-prefix",
        "topics",
        callback=topic_prefix,
        default="",
        metavar="PREFIX",
        help="Prefix of every input and output topic's name.",
    )(command)


def _buyer_key(context: click.Context, parameter: click.Parameter, value: str | None) -> BuyerHash | None:
    if value is None:
        return None
    if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE:
        raise click.BadParameter(
            "a key is not for the command line, which others can see: set PARCELWATCH_BUYER_KEY", param=parameter
        )
    try:
        return buyer_hash(value.encode("utf-8", "surrogateescape"))
    except ValueError as error:
        raise click.BadParameter(f"PARCELWATCH_BUYER_KEY: {error}", param=parameter) from None


def buyer_key_option(command: Command) -> Command:
    """The key of the buyers' hashes, by the environment alone; as the function that hashes, or None."""
    return click.option(
        "--buyer-key",
        "buyer_hash",
        callback=_buyer_key,
        metavar="KEY",
        help="Key for hashing buyer ids in the state. By environment variable only.",
    )(command)
