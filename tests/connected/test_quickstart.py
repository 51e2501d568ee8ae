"""The quick start and README on Kafka: their commands run as they stand there, on a real broker."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.documents import blocks, matches
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.unit.cli import ROOT, environment

OUT = "out.txt"
QUICK_START, README = ROOT / "docs/quickstart.md", ROOT / "README.md"


def shown(page: Path) -> tuple[list[str], list[str]]:
    """The commands of the page's block on Kafka, and what they are said to print."""
    (block,) = blocks(page, "console kafka")
    lines = block.splitlines()
    commands = [line[2:] for line in lines if line.startswith("$ ")]
    return commands, [line for line in lines if not line.startswith("$ ")]


async def run(commands: list[str], kafka: Broker, place: Path) -> list[str]:
    """What they print, all in one shell, which at its end stops what it has started and waits for that."""
    script = "set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n" + "\n".join(commands)
    script = script.replace("kafka://localhost:9092", f"kafka://{kafka.bootstrap}")
    command = place / "parcelwatch"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -X faulthandler -m streams "$@"\n')
    command.chmod(0o755)
    # Not the port that a reader expects, and not as long as where a past may have gaps.
    variables = environment(PARCELWATCH_LISTEN_PORT="0", PARCELWATCH_CATCH_UP_QUIET="5")
    out, error = place / OUT, place / "error.txt"
    with out.open("wb") as said, error.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            "bash", "-x", "-c", script, cwd=place, env={**variables, "PATH": f"{place}:{variables['PATH']}"},
            stdout=said, stderr=told, start_new_session=True,
        )  # fmt: skip
    try:
        await asyncio.wait_for(process.wait(), PATIENCE)
    except TimeoutError:
        # Has every process tell where it is.
        os.killpg(process.pid, signal.SIGABRT)
        await process.wait()
        pytest.fail(f"it does not end: {out.read_text()}\n{error.read_text()}")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    assert process.returncode == 0, error.read_text()
    return out.read_text().splitlines()


async def test_a_marketplace_two_workers_and_their_status(kafka: Broker, tmp_path: Path) -> None:
    commands, printed = shown(QUICK_START)
    assert sum("parcelwatch worker" in command for command in commands) == 2
    said = await run(commands, kafka, tmp_path)
    assert matches(printed, said), said
    screen = (tmp_path / "status.txt").read_text()
    assert "worker " in screen
    assert "alerts.merchant order.ship_late" in screen


async def test_the_readme_leads_from_a_file_of_events_to_a_worker_that_is_well(kafka: Broker, tmp_path: Path) -> None:
    # Old enough to be past, and of a parcel that has fallen silent.
    (tmp_path / "events.jsonl").write_text(
        '{"topic":"logistics-scans","value":{"event_id":"s1","type":"scan","occurred_at":"2026-03-03T17:20:00+08:00",'
        '"tracking_no":"78300011112222","carrier":"ZTO","status":"picked_up"}}\n'
    )
    commands, _ = shown(README)
    assert {"topics", "produce", "worker", "status", "console"} <= {command.split()[1] for command in commands}
    # A reader asks again until the worker has caught up, and looks at the console.
    waiting = "until parcelwatch status > status.txt; do sleep 1; done"
    commands = [waiting if one == "parcelwatch status" else one for one in commands]
    said = await run([*commands, f"until grep -q 'console: http' {OUT}; do sleep 1; done"], kafka, tmp_path)
    assert "sent: logistics-scans 1" in said
    assert (tmp_path / "status.txt").read_text().startswith("parcelwatch is healthy")
