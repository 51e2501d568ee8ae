"""`parcelwatch policy`: shows a policy, checks it, or compares two."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.cli.completion import names_or_files
from streams.cli.suggestions import SuggestingGroup
from streams.cli.terminal import echo, printable, printable_json
from streams.policy import load
from streams.policy.hints import hints
from streams.policy.model import Policy
from streams.policy.sections import link_to, section_of
from streams.policy.settings import Difference, differences, settings, told

#: Table width when output is not a terminal: so wide that no line wraps.
_WIDE = 400
_POLICIES = names_or_files(load.profiles)

# `PARCELWATCH_JSON` is a file of another command.
_json_option = click.option("--json", "as_json", is_flag=True, envvar="PARCELWATCH_POLICY_JSON", help="Print JSON.")


@click.group("policy", cls=SuggestingGroup)
def policy_command() -> None:
    """Show, check and compare policies: profiles, or TOML or YAML files."""


@policy_command.command("show")
@click.argument("name", metavar="[NAME|FILE]", shell_complete=_POLICIES, default=load.DEFAULT)
@_json_option
def show_command(name: str, as_json: bool) -> None:
    """Show every setting, where it is set, the rule behind it, and the section of docs/rules.md that explains it.

    Without a name, show the default policy.
    """
    try:
        policy, found = settings(name)
        made_of = [layer.label for layer in load.layers(name)]
    except load.BadPolicy as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        rows = [
            {"setting": one.name, "value": one.value, "set_by": one.set_by, "rule": one.rule}
            | {"section": section_of(one.name), "explained_in": link_to(one.name)}
            for one in found
        ]
        _print_json({"policy": policy.label, "made_of": made_of, "settings": rows})
        return
    echo(f"{policy.label} ({' <- '.join(reversed(made_of))})")
    echo("")
    _print_table(
        ("setting", "value", "set by", "rule", "explained in"),
        ((one.name, told(one.value), one.set_by, one.rule or "", link_to(one.name)) for one in found),
    )


@policy_command.command("check")
@click.argument("file", metavar="FILE", shell_complete=_POLICIES)
def check_command(file: str) -> None:
    """Report the problems of a policy, one line each.

    The exit status is 0 if there are none, and 2 otherwise. Values that are allowed but may be slips are reported, too.
    """
    found = load.problems(file)
    for problem in found:
        echo(f"parcelwatch: {problem}", err=True)
    if found:
        raise click.exceptions.Exit(2)
    policy = load.load(file)
    for hint in hints(policy):
        echo(f"parcelwatch: policy {file}: {hint}", err=True)
    echo(f"policy {file}: fine, {policy.label}")


@policy_command.command("diff")
@click.argument("first", metavar="A", shell_complete=_POLICIES)
@click.argument("second", metavar="B", shell_complete=_POLICIES)
@_json_option
def diff_command(first: str, second: str, as_json: bool) -> None:
    """Show the settings in which two policies differ."""
    one, two = _loaded(first), _loaded(second)
    found = differences(one, two)
    if as_json:
        rows = [{"setting": entry.name, "a": entry.first, "b": entry.second} for entry in found]
        _print_json({"a": one.label, "b": two.label, "differences": rows})
    elif not found:
        echo(f"{first} and {second} do not differ: {one.label}")
    else:
        _print_table(("setting", one.label, two.label), ((entry.name, *_sides(entry)) for entry in found))


def _loaded(name: str) -> Policy:
    try:
        return load.load(name)
    except load.BadPolicy as error:
        raise click.ClickException(str(error)) from None


def _print_json(content: dict[str, Any]) -> None:
    click.echo(printable_json(json.dumps(content, ensure_ascii=False, indent=2)))


def _print_table(columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Plain text: brackets in a name are not markup.
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def _sides(entry: Difference) -> tuple[str, str]:
    """Both values; of two long lists, only the entries that the other lacks."""
    one, two = entry.first, entry.second
    if isinstance(one, list) and isinstance(two, list):
        alone = [[item for item in one if item not in two], [item for item in two if item not in one]]
        texts = [told(one), told(two)]
        if any("..." in text for text in texts):
            if not any(alone):
                return f"{len(one)} entries", "the same in another order"
            return (
                f"{len(one)} entries, only here: {told(alone[0])}",
                f"{len(two)} entries, only here: {told(alone[1])}",
            )
    return tuple(told(side) for side in (one, two))  # type: ignore[return-value]
