"""`parcelwatch replay`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from streams.cli.options import instant, policy_option
from streams.cli.terminal import echo
from streams.policy.model import Policy
from streams.replay import parquet
from streams.replay.account import account, doubt
from streams.replay.batches import batches
from streams.replay.progress import watched
from streams.replay.reading import MissingInput
from streams.replay.run import Format, Replay


def _format(_context: click.Context, parameter: click.Parameter, value: Format) -> Format:
    if value == "parquet" and not parquet.is_available():
        raise click.BadParameter("parquet needs pyarrow: pip install 'parcelwatch[parquet]'", param=parameter)
    return value


@click.command("replay")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), default="parcelwatch-out", show_default=True,
    help="Output folder.",
)  # fmt: skip
@policy_option
@click.option("--until", callback=instant, metavar="TIME", help="End of the replay; default: the greatest time read.")
@click.option("--now", callback=instant, metavar="TIME", help="Events more than 24 h after it are invalid.")
@click.option("--format", "form", type=click.Choice(["jsonl", "parquet"]), default="jsonl", show_default=True,
              callback=_format, help="Format of the output files, except summary.json.")  # fmt: skip
def replay_command(
    source: Path, folder: Path, policy: Policy, until: int | None, now: int | None, form: Format
) -> None:
    """Run INPUT through the rules without a broker.

    INPUT is a file of lines {"topic":"orders","value":{...}} in arrival order, or a folder with orders.jsonl,
    logistics-scans.jsonl and chats.jsonl; .gz and .zst, too.
    """
    replay = Replay(policy, until, now)
    console = Console(stderr=True)
    try:
        with watched(source, "replay", console, lambda path, told: batches(path, now, told)) as read:
            summary = replay.take(read)
        replay.write(folder, summary, form)
    except MissingInput as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.UsageError(f"{folder}: cannot be written: {error.strerror or error}") from None
    for line in account(source, folder, summary, replay.dead, replay.two_names):
        echo(line)
    if (said := doubt(source, summary)) is not None:
        echo(f"parcelwatch: {said}", err=True)
