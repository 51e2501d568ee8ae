"""`parcelwatch explain`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.topics import TopicNames
from streams.alerts.languages import LANGUAGES, Tag, preferred_language
from streams.cli.logging import logging_options
from streams.cli.options import bootstrap, instant, partitioner_option, policy_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo, printable_json
from streams.engine.errors import FatalError, LogError
from streams.explain.document import document
from streams.explain.story import stories
from streams.explain.subject import KINDS, Scope, scope_of
from streams.explain.terminal import Page
from streams.explain.watch import Watch
from streams.explain.wording import Words
from streams.policy.model import Policy
from streams.replay.reading import Line, MissingInput, read, size
from streams.stages.intake import Partitioner

#: Reads all; told to `progress` if there is any.
_Lines = Callable[[Callable[[int], None] | None], Iterator[Line]]


@click.command("explain")
@click.argument("subject", metavar="SUBJECT")
@click.argument("sources", metavar="[INPUT]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--broker",
    callback=bootstrap,
    metavar="kafka://HOST:PORT,...",
    help="Instead of INPUT: the topics of these Kafka brokers.",
)
@partitioner_option
@topics_option
@click.option("--kind", type=click.Choice(KINDS), help="Which of several things named SUBJECT to explain.")
@policy_option
@click.option("--until", callback=instant, metavar="TIME", help="End of the run; default: the greatest time read.")
@click.option("--lang", type=click.Choice(list(LANGUAGES)), help="Of what is shown; default: the locale's.")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object, in both languages.")
@logging_options
@security_options
def explain_command(
    subject: str,
    sources: tuple[Path, ...],
    broker: str | None,
    partitioner: Partitioner,
    topics: TopicNames,
    kind: str | None,
    policy: Policy,
    until: int | None,
    lang: Tag | None,
    as_json: bool,
    client: dict[str, Any],
) -> None:
    """Show the timeline of SUBJECT in INPUT, and why each alert was raised or was not.

    SUBJECT is a tracking number, an order, a ticket, a conversation or a shop. INPUT is what `replay` reads; the alerts
    are those that a replay raises. With --broker, the topics are read instead, from their beginning to their end.
    """
    try:
        with _opened(sources, broker, partitioner, client, topics) as (lines, total), _progress(2 * total) as advance:
            scope = scope_of(subject, lines(advance), policy)
            _narrow(scope, kind)
            watch = Watch(policy, until, scope)
            watch.run(lines(advance))
    except MissingInput as error:
        raise click.UsageError(str(error)) from None
    except FatalError as error:
        raise click.ClickException(str(error)) from None
    except LogError as error:
        raise click.ClickException(f"the broker cannot be used: {error}") from None
    told = stories(watch)
    if scope.one_carrier:
        one, other = scope.one_carrier
        echo(
            f"{one!r} and {other!r} are names of one carrier: is this one parcel? "
            "[carriers] canonical = true in the policy makes it one",
            err=True,
        )
    if as_json:
        click.echo(printable_json(document(watch, told)))
    else:
        Page(Words(lang or preferred_language())).write(watch, told)


@contextmanager
def _opened(
    sources: tuple[Path, ...], broker: str | None, partitioner: Partitioner, client: dict[str, Any], topics: TopicNames
) -> Iterator[tuple[_Lines, int]]:
    """A function that reads the input, any number of times, and the amount to read."""
    named = click.get_current_context().get_parameter_source("broker") is ParameterSource.COMMANDLINE
    if sources and not named:
        with ExitStack() as copies:
            paths = [copies.enter_context(_twice(source)) for source in sources]
            yield partial(read, paths), size(paths)
    elif sources:
        raise click.UsageError("INPUT or --broker, not both")
    elif broker is None:
        raise click.UsageError("Missing argument 'INPUT', or --broker")
    else:
        # A client of Kafka takes longer to import than a small input to explain.
        from streams.explain.broker import BrokerInput

        with BrokerInput(broker, partitioner, client, topics) as topics_read:
            yield topics_read.lines, topics_read.size


def _narrow(scope: Scope, kind: str | None) -> None:
    """Keeps only the requested kind. Raises click.UsageError if nothing is left."""
    if not scope.kinds:
        said = f"{scope.subject}: no shipment, order, ticket, conversation or shop of that name in the input"
        if scope.unreadable:
            first = scope.unreadable[0]
            where = f"{first.where}: {first.error_code} ({first.error_detail})"
            said += f"; invalid records that name it: {len(scope.unreadable)}, the first in {where}"
        raise click.UsageError(said)
    if kind is not None and kind not in scope.kinds:
        found = ", ".join(one for one in KINDS if one in scope.kinds)
        raise click.UsageError(f"{scope.subject}: no {kind} of that name in the input, but: {found}")
    if kind is not None:
        scope.kinds = {kind}


@contextmanager
def _twice(source: Path) -> Iterator[Path]:
    """A path that can be read twice: the source itself, or a copy of what comes through a pipe."""
    if not source.exists() or source.is_file() or source.is_dir():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="parcelwatch-") as folder:
        copy = Path(folder) / source.name
        try:
            with source.open("rb") as piped, copy.open("wb") as out:
                shutil.copyfileobj(piped, out)
        except OSError as error:
            raise MissingInput(f"{source}: cannot be read: {error.strerror}") from None
        yield copy


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal, none elsewhere."""
    console = Console(stderr=True)
    if not (console.is_terminal and sys.stdout.isatty()):
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("explain", total=total)
        yield lambda done: progress.advance(task, done)
