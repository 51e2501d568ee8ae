"""`parcelwatch forget`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.topics import TopicNames
from streams.cli.logging import logging_options
from streams.cli.options import app_id_option, broker_option, buyer_key_option, policy_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo, printable_json
from streams.engine.errors import FatalError, LogError
from streams.forget import run, state
from streams.forget.orders import Wanted
from streams.policy.model import Policy
from streams.stages.buyer_hash import BuyerHash
from streams.worker.settings import Guarantee


@click.command("forget")
@click.option("--order", metavar="ID", help="An order.")
@click.option("--buyer", metavar="HASH|-", help="All orders of a buyer, by the keyed hash in hexadecimal; "
              "-: the id is on standard input, and PARCELWATCH_BUYER_KEY set.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Report what there is, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
@broker_option
@app_id_option
@policy_option
@topics_option
@click.option("--guarantee", type=click.Choice(get_args(Guarantee)), default="exactly_once", show_default=True,
              help="That of the workers. At least once, none of them may run.")  # fmt: skip
@buyer_key_option
@logging_options
@security_options
def forget_command(
    order: str | None,
    buyer: str | None,
    dry_run: bool,
    as_json: bool,
    broker: str,
    app_id: str,
    policy: Policy,
    topics: TopicNames,
    guarantee: Guarantee,
    buyer_hash: BuyerHash | None,
    client: dict[str, Any],
) -> int:
    """Remove an order, or a buyer's orders, from the state, and report what Kafka still holds and until when.

    Workers may keep running. The policy must be theirs. The status is 1 if some of its records have not been read yet:
    run it again once they have.
    """
    if (order is None) == (buyer is None):
        raise click.UsageError("one of --order and --buyer is needed")
    wanted = Wanted(order=order) if buyer is None else Wanted(buyer=_hash(buyer, buyer_hash))
    whom = f"Order {order}" if buyer is None else "Orders of a buyer"
    request = run.Request(app_id, wanted, whom, dry_run, guarantee == "exactly_once", topics)
    try:
        report = asyncio.run(run.forget(broker, policy, request, _bar, client))
    except FatalError as error:
        raise click.ClickException(str(error)) from None
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None
    if as_json:
        click.echo(printable_json(report.document()))
    else:
        for line in report.lines():
            echo(line)
    return report.status


def _hash(buyer: str, buyer_hash: BuyerHash | None) -> bytes:
    if buyer != "-":
        try:
            known = bytes.fromhex(buyer)
        except ValueError:
            known = b""
        if len(known) != 32:
            raise click.UsageError("--buyer: not the 64 hexadecimal digits of an HMAC-SHA-256; - reads the id instead")
        return known
    if buyer_hash is None:
        raise click.UsageError("--buyer -: PARCELWATCH_BUYER_KEY is not set, which the workers hash buyers with")
    buyer_id = sys.stdin.readline().rstrip("\r\n")
    if not buyer_id:
        raise click.UsageError("--buyer -: no buyer's id on standard input")
    return buyer_hash(buyer_id)


@contextmanager
def _bar(total: int) -> Iterator[state.Progress]:
    """A bar on a terminal, none elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("forget", total=total)
        yield lambda done: progress.advance(task, done)
