"""A shell completes commands, options, formats and policies, as the script that it loads asks for them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from streams.adapt import formats
from streams.cli.main import COMMANDS
from streams.policy import load
from tests.patience import PATIENCE
from tests.unit.cli import environment

SHELLS = ["bash", "zsh", "fish"]


def asked(instruction: str, **more: str) -> str:
    """What the program answers to a shell."""
    variables = environment(_PARCELWATCH_COMPLETE=instruction, **more)
    done = subprocess.run(
        [sys.executable, "-m", "streams"], check=True, env=variables, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.stderr == ""
    return done.stdout


def completed(shell: str, line: str) -> list[str]:
    """The completions of the last word of a line, as a shell's script asks for them."""
    words = line.split(" ")
    number = words[-1] if shell == "fish" else str(len(words) - 1)
    answer = asked(f"{shell}_complete", COMP_WORDS=line, COMP_CWORD=number).splitlines()
    if shell == "zsh":
        # Three lines each: the type, the value, and what it does.
        return answer[1::3]
    values = [one.partition(",")[2] for one in answer]
    return [one.partition("\t")[0] for one in values]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_made_for_each_shell(shell: str) -> None:
    script = asked(f"{shell}_source")
    assert f"_PARCELWATCH_COMPLETE={shell}_complete" in script
    if (program := shutil.which(shell)) is not None:
        subprocess.run([program, "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("parcelwatch re", ["replay", "redrive", "reset"]),
        ("parcelwatch policy s", ["show"]),
        ("parcelwatch adapt kuai", ["kuaidi100"]),
        ("parcelwatch replay --pol", ["--policy"]),
        ("parcelwatch replay --policy tm", ["tmall-2026"]),
        ("parcelwatch policy show tao", ["taobao-experience-2026"]),
        ("parcelwatch worker --store r", ["rocksdict"]),
        ("parcelwatch ingest --push kuai", ["kuaidi100"]),
    ],
)
def test_what_is_begun_is_completed(shell: str, line: str, expected: list[str]) -> None:
    assert completed(shell, line) == expected


def test_an_empty_word_completes_to_all_there_are() -> None:
    assert completed("bash", "parcelwatch ") == list(COMMANDS)
    assert completed("bash", "parcelwatch adapt ") == list(formats())
    assert completed("bash", "parcelwatch policy show ") == load.profiles()


def test_what_begins_like_no_name_is_a_file() -> None:
    assert asked("bash_complete", COMP_WORDS="parcelwatch adapt ./ac", COMP_CWORD="2") == "file,./ac\n"


def test_bash_itself_completes_a_format(tmp_path: Path) -> None:
    command = tmp_path / "parcelwatch"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m streams "$@"\n')
    command.chmod(0o755)
    script = """
        eval "$(_PARCELWATCH_COMPLETE=bash_source parcelwatch)"
        COMP_WORDS=(parcelwatch adapt kuai) COMP_CWORD=2
        _parcelwatch_completion parcelwatch
        echo "${COMPREPLY[@]}"
    """
    variables = environment()
    done = subprocess.run(
        ["bash", "-c", script], check=True, capture_output=True, text=True,
        env={**variables, "PATH": f"{tmp_path}:{variables['PATH']}"},
    )  # fmt: skip
    assert done.stdout == "kuaidi100\n"
