"""Options that several commands share."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
from click.core import ParameterSource

from schemas.times import parse
from schemas.topics import INPUTS, OUTPUTS, TopicNames, indistinct
from streams.cli.completion import names_or_files
from streams.cli.security import SASL_PASSWORD
from streams.cli.topic_names import TABLE, read_names
from streams.engine.errors import FatalError
from streams.engine.partitioner import partition_for
from streams.engine.topology import Topology
from streams.policy import load
from streams.policy.model import Policy
from streams.stages.buyer_hash import BuyerHash, buyer_hash
from streams.stages.dataflow import dataflow
from streams.stages.shipments.native_scans import Choice, chosen

if TYPE_CHECKING:
    from streams.stages.intake import Partitioner

_HOST = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]+\]")
_PORT = re.compile(r"[0-9]{1,5}")

Command = TypeVar("Command", bound=Callable[..., Any])

#: A shell's completion of `NAME|FILE`.
POLICIES = names_or_files(load.profiles)


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
        shell_complete=POLICIES,
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


def listen_address(_context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, int]:
    """`HOST:PORT`, where a server listens; without a host, on all addresses."""
    host, colon, port = value.rpartition(":")
    if not ((not host or _HOST.fullmatch(host)) and colon and _PORT.fullmatch(port) and int(port) < 65536):
        raise click.BadParameter(f"not of the form HOST:PORT: {value}", param=parameter)
    return host.strip("[]"), int(port)


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


def native_option(command: Command) -> Command:
    """`--native`, as what it comes to: the module to use, or None."""
    return click.option(
        "--native", callback=_native, type=click.Choice(get_args(Choice)), default="auto", show_default=True,
        help="Take common scans with the package parcelwatch-native: if it is installed, in any case, or not.",
    )(command)  # fmt: skip


def _native(_context: click.Context, parameter: click.Parameter, value: Choice) -> ModuleType | None:
    try:
        return chosen(value)
    except FatalError as error:
        raise click.BadParameter(str(error), param=parameter) from None


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


def topics_option(command: Command) -> Command:
    """`--topic-prefix PREFIX` and `--topics NAME=TOPIC,...|FILE`, as what inputs and outputs are called: `topics`.

    They must differ from the internal topics of the command's `--app-id`, where it has one.
    """
    return _topics(command, "topics", ("--topic-prefix", "--topics"), "app_id", "the input and output topics")


def new_topics_option(command: Command) -> Command:
    """`--to-prefix PREFIX` and `--to-topics`, as what those of `--to-app-id` are called: `new_topics`."""
    flags = ("--to-prefix", "--to-topics")
    return _topics(command, "new_topics", flags, "to_app_id", "its input and output topics")


def _prefix(_context: click.Context, parameter: click.Parameter, value: str) -> TopicNames:
    try:
        return TopicNames.prefixed(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


def _names(_context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, str]:
    try:
        return {} if value is None else read_names(value)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


def _topics(command: Command, argument: str, flags: tuple[str, str], of_app: str, whose: str) -> Command:
    of_prefix, of_names = flags
    # A command may have them twice.
    prefixed, named = f"{argument}_prefixed", f"{argument}_named"

    @wraps(command)
    def naming(*arguments: Any, **others: Any) -> Any:
        given: dict[str, str] = others.pop(named)
        try:
            topics: TopicNames = others.pop(prefixed).named(given)
            if (app := others.get(of_app)) is not None:
                _apart(topics, app)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint=f"'{of_names if given else of_prefix}'") from None
        return command(*arguments, **{argument: topics}, **others)

    naming = click.option(
        of_names, named, callback=_names, metavar="NAME=TOPIC,...|FILE",
        help=f"Names of some of {whose}, whatever the prefix; or a TOML file with the table [{TABLE}].",
    )(naming)  # fmt: skip
    return click.option(
        of_prefix, prefixed, callback=_prefix, default="", metavar="PREFIX", help=f"Prefix of {whose}."
    )(naming)  # type: ignore[return-value]


def _apart(topics: TopicNames, app: str) -> None:
    """Raises `ValueError` where an input or output is called like an internal topic of the application."""
    muted = topics.muted(app)
    internal = (*Topology(app, dataflow(load.default()), {}).internal(), *muted.all(OUTPUTS))
    known = {indistinct(topic): topic for topic in internal}
    for name in (*INPUTS, *OUTPUTS):
        if (other := known.get(indistinct(topics[name]))) is not None:
            raise ValueError(f"{name}: {topics[name]}: the internal topic {other} of application {app} is called so")


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
