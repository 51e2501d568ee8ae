"""Every command explains itself, in words that fit."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.cli.help import SUBJECTS
from streams.cli.main import command_of, parcelwatch
from streams.cli.suggestions import SuggestingGroup
from tests.unit.cli import environment

COMMANDS = sorted(main.COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_says_what_a_command_does_and_ends_well(command: str, flag: str) -> None:
    result = CliRunner().invoke(parcelwatch, [command, flag], prog_name="parcelwatch")
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: parcelwatch {command} ")
    assert command_of(command).help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(command: str) -> None:
    for parameter in command_of(command).params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_the_list_of_commands_is_by_what_they_are_for_and_says_in_a_line_what_each_does() -> None:
    result = CliRunner().invoke(parcelwatch, ["--help"])
    assert result.exit_code == 0
    for title, entries in main.SECTIONS.items():
        assert f"\n\n{title}:\n  {next(iter(entries))} " in result.output
        for name, entry in entries.items():
            line = next(line for line in result.output.splitlines() if line.startswith(f"  {name} "))
            assert line.endswith(f"  {entry.summary}")
            assert len(line) <= 80


def test_the_list_of_commands_imports_none_of_them() -> None:
    asked = (
        "import sys; from streams.cli.main import parcelwatch; parcelwatch(['--help'], standalone_mode=False); "
        "print([name for name in sys.modules if name.endswith('.command') or name == 'faust'])"
    )
    done = subprocess.run([sys.executable, "-c", asked], check=True, env=environment(), capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_the_variable_of_each_option(command: str) -> None:
    result = CliRunner().invoke(parcelwatch, [command, "--help"], prog_name="parcelwatch")
    for parameter in command_of(command).params:
        if isinstance(parameter, click.Option):
            _, _, after = result.output.partition(f"\n  {parameter.opts[0]} ")
            assert " ".join(after.split()).partition("[env var: ")[2].startswith(str(parameter.envvar))


def test_options_stand_under_what_they_are_about_a_commands_own_first() -> None:
    result = CliRunner().invoke(parcelwatch, ["topics", "--help"], prog_name="parcelwatch")
    titles = [line for line in result.output.splitlines() if line and not line.startswith((" ", "Usage"))]
    assert titles == ["Options:", "Rules and time:", "Kafka and topics:", "Metrics and logs:",
                      "Security of the connection:", "Help:"]  # fmt: skip
    assert "Options:\n  --dry-run  " in result.output


def test_every_group_of_commands_names_the_one_that_was_meant() -> None:
    groups = [found for name in COMMANDS if isinstance(found := command_of(name), click.Group)]
    assert groups
    assert all(isinstance(group, SuggestingGroup) for group in groups)


def test_every_option_with_a_subject_is_one_of_some_command() -> None:
    there = {max(one.opts, key=len) for name in COMMANDS for one in command_of(name).params}
    assert {one for options in SUBJECTS.values() for one in options} <= there | {"--help", "--version"}


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(parcelwatch, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("parcelwatch, version ")
