"""`parcelwatch replay`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from streams.options import instant, policy_option
from streams.policy.model import Policy
from streams.replay.reading import MissingInput, read, size
from streams.replay.run import Replay


@click.command("replay")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option(
    "--out", "folder", type=click.Path(path_type=Path, file_okay=False), default="parcelwatch-out", show_default=True,
    help="The folder to write to.",
)  # fmt: skip
@policy_option
@click.option("--until", callback=instant, metavar="TIME", help="Where to end; default: the greatest time read.")
@click.option("--now", callback=instant, metavar="TIME", help="Events more than 24 h after it are invalid.")
def replay_command(source: Path, folder: Path, policy: Policy, until: int | None, now: int | None) -> None:
    """Run INPUT through the rules without a broker.

    INPUT is a file of lines {"topic":"orders","value":{...}} in arrival order, or a folder with orders.jsonl,
    logistics-scans.jsonl and chats.jsonl; .gz and .zst, too.
    """
    replay = Replay(policy, until, now)
    console = Console(stderr=True)
    try:
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
                TimeRemainingColumn(),
            )  # fmt: skip
            with Progress(*columns, console=console, transient=True) as progress:
                task = progress.add_task("replay", total=size(source))
                summary = replay.run(read(source, lambda done: progress.advance(task, done)))
        else:
            size(source)
            summary = replay.run(read(source))
        replay.write(folder, summary)
    except MissingInput as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        raise click.UsageError(f"{folder}: cannot be written: {error.strerror}") from None
    if console.is_terminal:
        records = sum(summary["records"].values())
        console.print(f"{records} records, {summary['dead']['total']} dead letters -> {folder}")
