"""A process that is told to end does so, whatever it hangs in, and says where that is."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.patience import PATIENCE
from tests.unit.cli import ROOT, environment

#: Of a library, to which being cancelled is nothing; `{ending}` begins the end.
HANGS = """
import asyncio
from streams.cli.ending import bound_to_end, when_told_to_end

async def forever():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def main():
    stop = asyncio.Event()
    hangs = asyncio.create_task(forever())
    await asyncio.sleep(0)
    {ending}
    print("begun", flush=True)
    await stop.wait()
    hangs.cancel()
    await asyncio.wait([hangs])

asyncio.run(main())
"""


def started(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_what_hangs_and_the_last_line_says_where(number: signal.Signals) -> None:
    process = started(HANGS.format(ending="when_told_to_end(stop.set, 0.5)"))
    process.send_signal(number)
    _, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    (line,) = error.splitlines()
    assert line.startswith("parcelwatch: has not ended within 0.5 s, and is at ")
    assert "tasks.py:" in line


def test_what_begins_to_end_by_itself_is_bound_too() -> None:
    process = started(HANGS.format(ending="bound_to_end(0.5)(); stop.set()"))
    _, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "has not ended within 0.5 s" in error) == (1, True)


def test_what_ends_in_time_is_left_alone_whatever_its_process_does_then() -> None:
    code = HANGS.format(ending="when_told_to_end(stop.set, 0.3)").replace("forever())", "asyncio.sleep(0))")
    process = started(f"{code}\nimport time\ntime.sleep(1)\nprint('over')")
    process.terminate()
    out, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, error) == (0, "over\n", "")
