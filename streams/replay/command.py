"""`parcelwatch replay`."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import click
from rich.console import Console

from streams.cli.options import instant, native_option, policy_option
from streams.cli.terminal import echo
from streams.engine.errors import LogError
from streams.policy.model import Policy
from streams.replay import parquet
from streams.replay.account import account, doubt
from streams.replay.batches import batches
from streams.replay.progress import watched
from streams.replay.reading import MissingInput, Progress, Source, inputs
from streams.replay.run import Format, Replay
from streams.replay.runs import Run, runs


def _format(_context: click.Context, parameter: click.Parameter, value: Format) -> Format:
    if value == "parquet" and not parquet.is_available():
        raise click.BadParameter("parquet needs pyarrow: pip install 'parcelwatch[parquet]'", param=parameter)
    return value


#: New objects between two looks for garbage, and how many of those before older ones are looked at, too.
_SELDOM = 50_000, 20, 100


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A replay holds much and makes hardly a cycle: to look for garbage in all of it, again and again, finds none."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


@click.command("replay")
@click.argument("sources", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), default="parcelwatch-out", show_default=True,
    help="Output folder.",
)  # fmt: skip
@policy_option
@click.option("--until", callback=instant, metavar="TIME", help="End of the replay; default: the greatest time read.")
@click.option("--now", callback=instant, metavar="TIME", help="Events more than 24 h after it are invalid.")
@click.option("--format", "form", type=click.Choice(["jsonl", "parquet"]), default="jsonl", show_default=True,
              callback=_format, help="Format of the output files, except summary.json.")  # fmt: skip
@native_option
def replay_command(
    sources: tuple[Path, ...],
    folder: Path,
    policy: Policy,
    until: int | None,
    now: int | None,
    form: Format,
    native: ModuleType | None,
) -> None:
    """Run INPUT through the rules without a broker.

    INPUT is a file of lines {"topic":"orders","value":{...}} in arrival order, or a folder with orders.jsonl,
    logistics-scans.jsonl and chats.jsonl; .gz and .zst, too. Several are merged by time, as the files of a folder are.
    """
    replay = Replay(policy, until, now)
    console = Console(stderr=True)
    try:
        with _seldom_collected():
            if native is not None and len(sources) == 1:

                def found(source: Source, progress: Progress | None) -> Iterator[Run]:
                    return runs(inputs(source)[0], native, progress)

                with watched(sources, "replay", console, found) as some:
                    summary = replay.take_runs(some, native)
            else:
                with watched(sources, "replay", console, lambda given, told: batches(given, now, told)) as read:
                    summary = replay.take(read)
            replay.write(folder, summary, form)
    except MissingInput as error:
        raise click.UsageError(str(error)) from None
    except LogError as error:
        raise click.ClickException(f"{error}; again with --native off") from None
    except OSError as error:
        raise click.UsageError(f"{folder}: cannot be written: {error.strerror or error}") from None
    for line in account(sources, folder, summary, replay.dead, replay.two_names):
        echo(line)
    if (said := doubt(sources, summary, replay.dead)) is not None:
        echo(f"parcelwatch: {said}", err=True)
