"""`parcelwatch forget` as its users meet it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from aiohttp.test_utils import unused_port

from tests.patience import PATIENCE
from tests.unit.cli import environment, run

KEY = "a key for the tests of buyers"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "one of --order and --buyer is needed"),
        (("--order", "A", "--buyer", "0" * 64), "one of --order and --buyer is needed"),
        (("--buyer", "0" * 63), "not the 64 hexadecimal digits of an HMAC-SHA-256"),
        (("--buyer", "buyer-1"), "not the 64 hexadecimal digits of an HMAC-SHA-256"),
        (("--buyer", "-"), "PARCELWATCH_BUYER_KEY is not set"),
        (("--order", "A", "--buyer-key", KEY), "a key is not for the command line"),
        (("--order", "A", "--broker", "nowhere"), "not of the form kafka://HOST:PORT"),
    ],
)
def test_a_mistake_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = run("forget", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("parcelwatch: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["forget", "worker"])
def test_a_key_that_could_be_guessed_is_a_mistake(command: str) -> None:
    done = run(command, PARCELWATCH_BUYER_KEY="0123456789abcde")
    assert done.returncode == 2
    assert "needs at least 16 bytes" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_buyer_is_read_of_standard_input_and_never_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams", "forget", "--buyer", "-", "--broker", f"kafka://127.0.0.1:{unused_port()}"],
        check=False, env=environment(PARCELWATCH_BUYER_KEY=KEY), input="buyer-1\n", capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no broker answers" in done.stderr
    assert "buyer-1" not in done.stderr + done.stdout
    assert done.stderr.count("\n") == 1


def test_no_buyer_on_standard_input_is_a_mistake() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams", "forget", "--buyer", "-"],
        check=False, env=environment(PARCELWATCH_BUYER_KEY=KEY), input="", capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "parcelwatch: --buyer -: no buyer's id on standard input\n"
