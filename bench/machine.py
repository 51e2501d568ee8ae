"""What a figure was measured on, and whether the machine was free for it."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path


def described() -> str:
    """One line: cores, processor, Python."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores ({model}), {sys.platform}, {python}"


def busy(seconds: float = 2.0) -> float | None:
    """The mean number of cores that others keep busy, looked at for so long. None where it is not known."""
    before = _spent()
    if before is None:
        return None
    began = time.monotonic()
    time.sleep(seconds)
    after = _spent()
    assert after is not None
    return (after - before) / (time.monotonic() - began)


def _spent() -> float | None:
    """Seconds of all cores outside of idling, since the start of the machine."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
