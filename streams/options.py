"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from schemas.times import parse
from streams.policy import load
from streams.policy.model import Policy

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
