"""The command `parcelwatch`.

Every option is also an environment variable: `PARCELWATCH_` and the option's name in capitals (`PARCELWATCH_BROKER`).
"""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click
from click.shell_completion import CompletionItem

from streams.cli.faults import told
from streams.cli.help import write_options
from streams.cli.suggestions import SuggestingChoice, SuggestingGroup, mistake
from streams.cli.terminal import echo, without_password
from streams.engine.collector import collect_seldom

PREFIX = "PARCELWATCH"
HELP = ["-h", "--help"]


class Entry(NamedTuple):
    """A command: where it is, `MODULE:NAME`, and what it does, in a line."""

    place: str
    summary: str


#: Commands by what they are for. One is imported when it is called: Faust alone takes longer than most of them run.
SECTIONS = {
    "To try it": {
        "demo": Entry("streams.demo.command:demo_command", "Watch it work on a simulated marketplace."),
        "generate": Entry("streams.generate.command:generate_command", "Simulate a marketplace, to files or Kafka."),
    },
    "On files, without Kafka": {
        "adapt": Entry("streams.adapt.command:adapt_command", "Turn a carrier's or platform's own data into events."),
        "replay": Entry("streams.replay.command:replay_command", "Run the rules over files of events."),
        "explain": Entry("streams.explain.command:explain_command", "Show why an alert was raised, or not."),
    },
    "To choose a policy": {
        "policy": Entry("streams.policy.command:policy_command", "Show, check and compare policies."),
        "compare": Entry("streams.compare.command:compare_command", "Show how the alerts of two policies differ."),
        "tune": Entry("streams.tune.command:tune_command", "Find thresholds of silences in your own history."),
    },
    "On Kafka": {
        "topics": Entry("streams.topics.command:topics_command", "Create missing topics, and check the others."),
        "ingest": Entry("streams.ingest.command:ingest_command", "Take pushes over HTTP, and send their events."),
        "produce": Entry("streams.produce.command:produce_command", "Send events from files to Kafka."),
        "worker": Entry("streams.worker.command:worker_command", "Run the rules, live, in a consumer group."),
        "status": Entry("streams.status.command:status_command", "Show how an application is, and what to do."),
        "console": Entry("streams.console.command:console_command", "Show alerts, timelines and shops in a browser."),
        "notify": Entry("streams.notify.command:notify_command", "Tell people of alerts, each once."),
    },
    "To administer an application": {
        "forget": Entry("streams.forget.command:forget_command", "Remove an order, or a buyer's, from the state."),
        "grow": Entry("streams.grow.command:grow_command", "Move to topics with more partitions."),
        "redrive": Entry("streams.redrive.command:redrive_command", "Send dead letters back to their topics."),
        "reset": Entry("streams.reset.command:reset_command", "Begin anew: offsets and internal topics."),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}


def command_of(name: str) -> click.Command:
    """The command of a name in `COMMANDS`, each of its options with its environment variable."""
    module, _, attribute = COMMANDS[name].place.partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    _complete(command)
    return command


def _complete(command: click.Command) -> None:
    """What all commands have alike, and those below them."""
    command.context_settings.setdefault("help_option_names", HELP)
    command.format_options = partial(write_options, command)  # type: ignore[method-assign]
    for parameter in command.params:
        if isinstance(parameter.type, click.Choice):
            parameter.type = SuggestingChoice(parameter.type)
        if isinstance(parameter, click.Option) and parameter.envvar is None and parameter.opts:
            option = max(parameter.opts, key=len).lstrip("-").replace("-", "_").upper()
            parameter.envvar = f"{PREFIX}_{option}"
    if isinstance(command, click.Group):
        for below in command.commands.values():
            _complete(below)


class _Group(SuggestingGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        return command_of(cmd_name) if cmd_name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        width = max(map(len, COMMANDS))
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), entry.summary) for name, entry in entries.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        # Without importing them all.
        begun = {name: entry for name, entry in COMMANDS.items() if name.startswith(incomplete)}
        named = [CompletionItem(name, help=entry.summary) for name, entry in begun.items()]
        return named + click.Command.shell_complete(self, ctx, incomplete)

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
    """Watch a marketplace's parcels and help rate as the events happen.

    Each command explains itself with --help, and names the environment variable of each option.
    """


parcelwatch.format_options = partial(write_options, parcelwatch)  # type: ignore[method-assign]


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
        _end(mistake(error), 2)
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
