"""The command `parcelwatch`.

Every option is also an environment variable: `PARCELWATCH_` and the option's name in capitals (`PARCELWATCH_BROKER`).
"""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from streams.adapt.command import adapt_command
from streams.collector import spare
from streams.compare.command import compare_command
from streams.demo.command import demo_command
from streams.explain.command import explain_command
from streams.forget.command import forget_command
from streams.policy.command import policy_command
from streams.replay.command import replay_command
from streams.topics.command import topics_command
from streams.worker.command import worker_command

PREFIX = "PARCELWATCH"
HELP = ["-h", "--help"]


class _Group(click.Group):
    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        cmd.context_settings.setdefault("help_option_names", HELP)
        for parameter in cmd.params:
            if isinstance(parameter, click.Option) and parameter.envvar is None and parameter.opts:
                option = max(parameter.opts, key=len).lstrip("-").replace("-", "_").upper()
                parameter.envvar = f"{PREFIX}_{option}"
        super().add_command(cmd, name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader of our output has gone: `parcelwatch adapt ... | head`.
            sys.stderr.close()
            raise click.exceptions.Exit(0) from None


@click.group(cls=_Group, context_settings={"help_option_names": HELP})
@click.version_option(package_name="parcelwatch", prog_name="parcelwatch")
def parcelwatch() -> None:
    """Watch a marketplace's parcels and help rate as the events happen."""


for command in (
    replay_command,
    worker_command,
    demo_command,
    adapt_command,
    compare_command,
    explain_command,
    forget_command,
    policy_command,
    topics_command,
):
    parcelwatch.add_command(command)


def main(args: list[str] | None = None) -> NoReturn:
    """Runs the command; a user's mistake ends with status 2 and one line on standard error."""
    spare()
    try:
        status: Any = parcelwatch.main(args, prog_name="parcelwatch", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.ctx.get_help() if asked.ctx else "", err=True)
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"parcelwatch: {' '.join(error.format_message().split())}", err=True)
        sys.exit(2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
