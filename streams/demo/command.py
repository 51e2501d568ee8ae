"""`parcelwatch demo`."""

from __future__ import annotations

import logging
import math
import socket
import time

import click

from schemas.times import CHINA, DAY
from streams.alerts.languages import LANGUAGES, Tag
from streams.cli.logging import configure
from streams.cli.options import policy_option
from streams.demo.console import AlertConsole
from streams.demo.run import Show, play
from streams.engine.errors import FatalError
from streams.engine.listening import listening
from streams.marketplace.market import Plan
from streams.policy.model import Policy
from streams.stages import intake_log

#: Days on which the first shop's buyers begin to lose patience, and have lost it.
ANGER = (8.0, 16.0)
#: Where the console is served.
HOST, PORT = "127.0.0.1", 8080
#: Without an end the marketplace begins so many days ago, and ends today.
LONGEST = 1095


@click.command("demo")
@click.option("--for", "seconds", type=click.FloatRange(min=1, max=3600), metavar="SECONDS",
              help="Stop after this long; default: on Ctrl-C.")  # fmt: skip
@click.option("--pace", type=click.FloatRange(min=0.05, max=5), default=1.5, show_default=True, metavar="DAYS",
              help="Simulated days per second.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
              help="Random seed; another number gives another marketplace.")  # fmt: skip
@click.option("--lang", type=click.Choice(list(LANGUAGES)), help="Of what is shown; default: the locale's.")
@click.option("--console-port", type=click.IntRange(0, 65535), metavar="PORT",
              help=f"Of the console, on 127.0.0.1; default: {PORT}, or a free one where that is taken.")  # fmt: skip
@click.option("--no-console", is_flag=True, help="Serve no console.")
@policy_option
def demo_command(
    seconds: float | None,
    pace: float,
    seed: int,
    lang: Tag | None,
    console_port: int | None,
    no_console: bool,
    policy: Policy,
) -> int:
    """Watch parcelwatch work: a worker, a simulated marketplace in fast motion, its alerts, and a console on them.

    Everything runs in this process; it needs no broker and writes nothing. The status is 0 after Ctrl-C, too.
    """
    if no_console and console_port is not None:
        raise click.UsageError("--no-console and --console-port exclude each other")
    # The worker speaks of trouble alone, so as not to disturb the alerts.
    configure(level="warning")
    # Its invalid records are made up, too.
    logging.getLogger(intake_log.__name__).setLevel(logging.ERROR)
    days = LONGEST if seconds is None else math.ceil(seconds * pace) + 1
    plan = Plan(
        seed=seed,
        shops=12,
        orders_per_day=60,
        days=days,
        start=_midnight() - days * DAY,
        anger=ANGER,
    )
    try:
        console = None if no_console else _listening(console_port)
    except FatalError as error:
        raise click.UsageError(str(error)) from None
    return play(Show(plan, policy, pace, seconds, console), AlertConsole(lang))


def _listening(port: int | None) -> socket.socket:
    """Where the console is served: on that port, else on the usual one or a free one."""
    if port is not None:
        return listening(HOST, port)
    try:
        return listening(HOST, PORT)
    except FatalError:
        return listening(HOST, 0)


def _midnight() -> int:
    """The last midnight in China, in microseconds: no event of the plan lies ahead of the log's own clock."""
    now = time.time_ns() // 1000 + CHINA
    return now - now % DAY - CHINA
