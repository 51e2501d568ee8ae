"""Log lines have one form, ours and the libraries', and hold no value of a record."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.patience import PATIENCE
from tests.unit.cli import environment, run

#: What is logged in a process that has been set up as the first argument says.
SPEAKS = """
import asyncio, logging, sys, warnings
import structlog
from streams.cli.logging import configure, last_word
configure(*sys.argv[1:])
log = structlog.get_logger("streams.worker")
log.debug("a debug line")
log.info("an info line", tasks=["a"])
log.warning("a warning", topic="orders", partition=1, offset=2)
for name in ("aiokafka.consumer", "faust.app", "mode.services"):
    logging.getLogger(name).info("a library's info")
    logging.getLogger(name).warning("a library's %s", "warning")
    logging.getLogger(name).warning("a library's %s", "warning again")
logging.getLogger("aiokafka.conn").debug("what a buyer wrote")
try:
    raise ValueError("what a buyer wrote")
except ValueError:
    logging.getLogger("asyncio").exception("an error")
    log.exception("ours")
warnings.warn("old")
last_word("nothing can go on\\x1b[2J")
"""


def lines(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SPEAKS, *arguments],
        check=True, capture_output=True, text=True, env=environment(), timeout=PATIENCE,
    )  # fmt: skip
    assert done.stdout == ""
    assert "buyer" not in done.stderr
    assert "\x1b" not in done.stderr
    return done.stderr.splitlines()


def test_json_is_one_object_a_line() -> None:
    told = [json.loads(line) for line in lines("json")]
    assert {"timestamp", "level", "logger", "event"} <= set.intersection(*map(set, told))
    assert [(one["logger"], one["level"], one["event"]) for one in told] == [
        ("streams.worker", "info", "an info line"),
        ("streams.worker", "warning", "a warning"),
        ("aiokafka.consumer", "warning", "a library's warning"),
        ("faust.app", "warning", "a library's warning"),
        ("mode.services", "warning", "a library's warning"),
        ("asyncio", "error", "an error"),
        ("streams.worker", "error", "ours"),
        ("py.warnings", "warning", told[-2]["event"]),
        ("streams.cli", "error", "nothing can go on\x1b[2J"),
    ]
    assert told[1] | {"topic": "orders", "partition": 1, "offset": 2} == told[1]
    assert [one.get("error_type") for one in told if one["level"] == "error"] == ["ValueError", "ValueError", None]


def test_a_persons_form_has_the_same_lines() -> None:
    told = lines("console")
    assert len(told) == 9
    assert all(line.startswith("timestamp=") for line in told[:-1])
    assert told[-1] == r"parcelwatch: nothing can go on\x1b[2J"


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_the_least_of_our_own_lines(level: str, count: int) -> None:
    ours = [line for line in lines("json", level) if json.loads(line)["logger"] == "streams.worker"]
    assert len(ours) == count


def test_a_worker_begins_with_a_line_that_says_what_it_is() -> None:
    done = run(
        "worker", "--broker", "kafka://127.0.0.1:9", "--start-patience", "0", "--app-id", "a", "--metrics-port", "9464",
        PARCELWATCH_LOG_FORMAT="json", PARCELWATCH_SASL_PASSWORD="hunter2",  # noqa: S106
    )  # fmt: skip
    assert done.returncode == 2
    told = [json.loads(line) for line in done.stderr.splitlines()]
    first = told[0]
    assert first["event"] == "worker starts"
    assert first["version"]
    assert first["policy"].startswith("default@")
    assert {name: first[name] for name in ("app_id", "brokers", "guarantee", "store", "metrics")} == {
        "app_id": "a", "brokers": "127.0.0.1:9", "guarantee": "exactly_once", "store": "memory",
        "metrics": "127.0.0.1:9464",
    }  # fmt: skip
    assert [(one["event"], one.get("status")) for one in told[-1:]] == [("worker ends", 2)]
    assert "no broker answers" in told[-2]["event"]
    assert "hunter2" not in done.stderr
