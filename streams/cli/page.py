"""Writes `docs/cli.md`, the page of all commands and their options, from the commands themselves.

    python -m streams.cli.page [--check] [FILE]

`--check` writes nothing, and exits with status 1 if the file is not current.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from html import escape
from inspect import cleandoc
from pathlib import Path
from typing import NamedTuple

import click

from schemas.made_files import MadeFiles
from streams.cli.help import HELP, by_subject
from streams.cli.main import SECTIONS, command_of

FILE = Path(__file__).parents[2] / "docs/cli.md"

_HEAD = """\
# Commands

<!-- Made from the commands by `make reference`. -->

`parcelwatch COMMAND --help` prints the same. Each option can be set by the environment variable beside it; the command
line comes first. The exit status is 0 on success and 2 for an invalid option, policy or input, with one line that says
which; a mistyped name is told what was probably meant. 70 is a fault in the program.

To let your shell complete commands, options, formats and policies, put the line for your shell where it begins:

| shell | file | line |
|---|---|---|
| Bash 4.4 or later | `~/.bashrc` | `eval "$(_PARCELWATCH_COMPLETE=bash_source parcelwatch)"` |
| Zsh | `~/.zshrc` | `eval "$(_PARCELWATCH_COMPLETE=zsh_source parcelwatch)"` |
| Fish | `~/.config/fish/config.fish` | <code>_PARCELWATCH_COMPLETE=fish_source parcelwatch &#124; source</code> |
"""
_COLUMNS = "| option | environment variable | default | |\n|---|---|---|---|"
#: What so many commands have alike is listed once.
_SHARED = 3


class _Command(NamedTuple):
    name: str
    usage: str
    help: str
    #: Rows of options, by subject.
    tables: dict[str, str]
    below: tuple[_Command, ...]


def page() -> str:
    """The content of the file."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    sections = {title: [_read(command_of(name), name) for name in names] for title, names in SECTIONS.items()}
    every = [one for commands in sections.values() for command in commands for one in (command, *command.below)]
    alike = Counter(table for one in every for table in one.tables.items())
    shared = {table for table, count in alike.items() if count >= _SHARED and "\n" in table[1]}
    yield _HEAD
    for title, commands in sections.items():
        yield f"## {title}\n"
        for command in commands:
            for one in (command, *command.below):
                yield from _command(one, shared)
    yield "## Options that commands share\n"
    for subject, rows in sorted(shared):
        yield f"### {subject}\n\n{_COLUMNS}\n{rows}\n"


def _command(one: _Command, shared: set[tuple[str, str]]) -> Iterator[str]:
    yield f"### {one.name}\n\n```text\n{one.usage}\n```\n\n{one.help}\n"
    for subject, rows in one.tables.items():
        if (subject, rows) in shared:
            yield f"And the options of [{subject}](#{subject.lower().replace(' ', '-')}).\n"
        else:
            yield f"**{subject}**\n\n{_COLUMNS}\n{rows}\n"


def _read(command: click.Command, name: str, above: click.Context | None = None) -> _Command:
    over = above or click.Context(click.Group("parcelwatch"), info_name="parcelwatch")
    context = click.Context(command, info_name=name, parent=over)
    # Some make their help when it is asked for.
    command.format_help_text(context, context.make_formatter())
    below = command.commands if isinstance(command, click.Group) else {}
    options = by_subject(command.params)
    return _Command(
        context.command_path,
        " ".join([context.command_path, *command.collect_usage_pieces(context)]),
        _markdown(command.help or ""),
        {
            subject: "\n".join(_row(one, context) for one in found)
            for subject, found in options.items()
            if subject != HELP
        },
        tuple(_read(other, other_name, context) for other_name, other in sorted(below.items())),
    )


def _row(option: click.Option, context: click.Context) -> str:
    names = ", ".join(option.opts)
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    extra = option.get_help_extra(context)
    default = ", ".join(f"`{told}`" for told in (extra.get("default"), extra.get("range")) if told)
    required = "required" if extra.get("required") else default
    return f"| {_code(names + metavar)} | {_code(str(option.envvar))} | {required} | {_escaped(option.help or '')} |"


def _code(text: str) -> str:
    """In a cell, where a pipe within backticks is shown in different ways."""
    return f"<code>{escape(text).replace('|', '&#124;')}</code>" if "|" in text else f"`{text}`"


def _escaped(text: str) -> str:
    """In a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _markdown(text: str) -> str:
    r"""Help as Markdown: what is not wrapped (`\b`) is a block of its own."""
    found = []
    for part in cleandoc(text).split("\n\n"):
        if part.startswith("\b\n"):
            found.append(f"```text\n{part.removeprefix(chr(8)).strip(chr(10))}\n```")
        else:
            found.append(part.replace("<", "&lt;"))
    return "\n\n".join(found)


def files() -> dict[str, bytes]:
    """The file itself."""
    return {"": page().encode()}


main = MadeFiles("streams.cli.page", (__doc__ or "").split("\n")[0], FILE, files).main


if __name__ == "__main__":
    sys.exit(main())
