"""What `--help` shows: options by what they are about, each with its environment variable."""

from __future__ import annotations

from collections.abc import Iterable

import click

OWN, HELP = "Options", "Help"

#: What options are about, wherever a command has them; others are the command's own.
SUBJECTS = {
    "Rules and time": (
        "--policy", "--until", "--now", "--clock", "--once", "--catch-up", "--catch-up-quiet",
    ),
    "Output": ("--out", "--format", "--html", "--json", "--lang"),
    "Kafka and topics": (
        "--broker", "--app-id", "--topic-prefix", "--topics", "--partitioner", "--to-app-id", "--to-prefix",
        "--to-topics", "--order-partitions", "--scan-partitions", "--replication-factor",
    ),
    "The consumer group": (
        "--instance-id", "--standbys", "--session-timeout", "--start-patience", "--broker-patience",
    ),
    "State": ("--store", "--state-dir", "--begin-anew", "--on-lost-offsets"),
    "Transactions and throughput": (
        "--guarantee", "--commit-interval", "--fetch-records", "--compression", "--native",
    ),
    "Personal data": ("--buyer-key", "--dead-letter-payload"),
    "Metrics and logs": ("--metrics-host", "--metrics-port", "--log-format", "--log-level"),
    "Security of the connection": (
        "--security-protocol", "--sasl-mechanism", "--sasl-username", "--sasl-password-file",
        "--sasl-token-provider", "--ssl-cafile",
        "--ssl-certfile", "--ssl-keyfile",
    ),
    HELP: ("--help", "--version"),
}  # fmt: skip

_SUBJECT_OF = {option: subject for subject, options in SUBJECTS.items() for option in options}


def by_subject(parameters: Iterable[click.Parameter]) -> dict[str, list[click.Option]]:
    """The options by what they are about, a command's own first; subjects without one are left out."""
    found: dict[str, list[click.Option]] = {subject: [] for subject in (OWN, *SUBJECTS)}
    for parameter in parameters:
        if isinstance(parameter, click.Option):
            found[_SUBJECT_OF.get(max(parameter.opts, key=len), OWN)].append(parameter)
    return {subject: options for subject, options in found.items() if options}


def write_options(command: click.Command, context: click.Context, formatter: click.HelpFormatter) -> None:
    """Writes a group's commands, then the options in sections by subject."""
    if isinstance(command, click.Group):
        command.format_commands(context, formatter)
    for subject, options in by_subject(command.get_params(context)).items():
        with formatter.section(subject):
            formatter.write_dl([record for one in options if (record := _record(one, context))])


def _record(option: click.Option, context: click.Context) -> tuple[str, str] | None:
    # Not at all times: errors name it, too, and are long enough.
    option.show_envvar = True
    try:
        return option.get_help_record(context)
    finally:
        option.show_envvar = False
