"""Every command explains itself, in words that fit."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.cli.main import command_of, parcelwatch

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


def test_the_list_of_commands_says_of_each_what_it_does() -> None:
    result = CliRunner().invoke(parcelwatch, ["--help"])
    assert result.exit_code == 0
    listed = result.output.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == COMMANDS
    assert all(len(line.split()) > 3 for line in listed)


def test_the_version_is_that_of_the_package() -> None:
    result = CliRunner().invoke(parcelwatch, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("parcelwatch, version ")
