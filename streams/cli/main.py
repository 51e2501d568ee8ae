"""The command `parcelwatch`.

Every option is also an environment variable: `PARCELWATCH_` and the option's name in capitals (`PARCELWATCH_BROKER`).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from streams.cli.faults import told
from streams.cli.terminal import echo, without_password
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
    "generate": "streams.generate.command:generate_command",
    "forget": "streams.forget.command:forget_command",
    "policy": "streams.policy.command:policy_command",
    "grow": "streams.grow.command:grow_command",
    "redrive": "streams.redrive.command:redrive_command",
    "reset": "streams.reset.command:reset_command",
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
    """Runs the command. Whatever goes wrong is one line on standard error: a user's mistake with status 2."""
    collect_seldom()
    try:
        status = _run(args)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.ctx.get_help() if asked.ctx else "", err=True)
        sys.exit(2)
    except click.ClickException as error:
        _end(error.format_message(), 2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except UnicodeEncodeError as error:
        if _is_text(error.object):
            _end(*told(error))
        _end("an argument or a variable of the environment is not text in UTF-8", 2)
    except Exception as error:
        _end(*told(error))
    sys.exit(status)


def _run(args: list[str] | None) -> int:
    if any("\0" in argument for argument in args or ()):
        # No system hands one over; whoever calls this may.
        raise click.UsageError("an argument has a NUL in it")
    status: Any = parcelwatch.main(args, prog_name="parcelwatch", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _end(said: str, status: int) -> NoReturn:
    echo(f"parcelwatch: {without_password(' '.join(said.split()))}", err=True)
    try:
        sys.stdout.flush()
    except OSError:
        # It would be tried again at the end of the process, and complained of once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _is_text(text: str) -> bool:
    """Whether it came in UTF-8: bytes that are not are halves of surrogate pairs here."""
    return not any("\udc80" <= one <= "\udcff" for one in text)
