"""`parcelwatch demo`."""

from __future__ import annotations

import logging
import math
import time

import click

from schemas.times import CHINA, DAY
from streams.alerts.languages import LANGUAGES, Tag
from streams.cli.logging import configure
from streams.cli.options import policy_option
from streams.demo.console import AlertConsole
from streams.demo.run import Show, play
from streams.marketplace.market import Plan
from streams.policy.model import Policy
from streams.stages import intake_log

#: Days on which the first shop's buyers begin to lose patience, and have lost it.
ANGER = (8.0, 16.0)
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
@policy_option
def demo_command(seconds: float | None, pace: float, seed: int, lang: Tag | None, policy: Policy) -> int:
    """Watch parcelwatch work: a worker, a simulated marketplace in fast motion, and its alerts.

    Everything runs in this process; it needs no broker and writes nothing. The status is 0 after Ctrl-C, too.
    """
    # The worker speaks of trouble alone, so as not to disturb the alerts.
    configure(level="warning")
    # Its invalid records are made up, too.
    logging.getLogger(intake_log.__name__).setLevel(logging.ERROR)
    days = LONGEST if seconds is None else math.ceil(seconds * pace) + 1
    plan = Plan(seed=seed, shops=12, orders_per_day=60, days=days, start=_midnight() - days * DAY, anger=ANGER)
    return play(Show(plan, policy, pace, seconds), AlertConsole(lang))


def _midnight() -> int:
    """The last midnight in China, in microseconds: no event of the plan lies ahead of the log's own clock."""
    now = time.time_ns() // 1000 + CHINA
    return now - now % DAY - CHINA
