"""What `parcelwatch console` refuses before it connects, each with one line and status 2."""

from __future__ import annotations

import pytest

from streams.console.command import TOKEN
from streams.engine.listening import listening
from tests.unit.cli import run


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - refused
def test_it_lets_nobody_in_from_elsewhere_without_a_token(host: str) -> None:
    done = run("console", "--listen-host", host)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"parcelwatch: --listen-host {host} lets others in: set {TOKEN}, or say --without-token\n"


def test_a_token_that_can_be_guessed_is_refused_and_not_repeated() -> None:
    done = run("console", **{TOKEN: "short-secret"})
    assert (done.returncode, done.stderr) == (2, f"parcelwatch: {TOKEN} needs at least 16 characters\n")


def test_a_port_that_is_taken_is_told() -> None:
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        done = run("console", "--listen-port", str(port), "--broker", "kafka://127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr == f"parcelwatch: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def test_a_broker_that_does_not_answer_is_told() -> None:
    done = run("console", "--listen-port", "0", "--broker", "kafka://127.0.0.1:1")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("parcelwatch: the broker cannot be used: ")
    assert "Traceback" not in done.stderr
