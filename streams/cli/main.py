"""The command `parcelwatch`.

Every option is also an environment variable: `PARCELWATCH_` and the option's name in capitals (`PARCELWATCH_BROKER`).
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from streams.engine.collector import collect_seldom

PREFIX = "PARCELWATCH"
HELP = ["-h", "--help"]

#: Where each command is. It is imported when it is called: Faust alone takes longer than most of them run.
COMMANDS = {
    "replay": "streams.replay.command:replay_command",
    "worker": "streams.worker.command:worker_command",
    "demo": "streams.demo.command:demo_command",
    "adapt": "streams.adapt.command:adapt_command",
    "compare": "streams.compare.command:compare_command",
    "explain": "streams.explain.command:explain_command",
    "forget": "streams.forget.command:forget_command",
    "policy": "streams.policy.command:policy_command",
    "topics": "streams.topics.command:topics_command",
}


def command_of(name: str) -> click.Command:
    """The command of a name in `COMMANDS`, each of its options with its environment variable."""
    module, _, attribute = COMMANDS[name].partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    command.context_settings.setdefault("help_option_names", HELP)
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.envvar is None and parameter.opts:
            option = max(parameter.opts, key=len).lstrip("-").replace("-", "_").upper()
            parameter.envvar = f"{PREFIX}_{option}"
    return command


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        return command_of(cmd_name) if cmd_name in COMMANDS else None

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


def main(args: list[str] | None = None) -> NoReturn:
    """Runs the command; a user's mistake ends with status 2 and one line on standard error."""
    collect_seldom()
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
