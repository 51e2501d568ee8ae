"""The machine that figures are measured on, whether it was idle, and the CPU time of its processes."""

from __future__ import annotations

import os
import platform
import sys
import time
from pathlib import Path

#: Cores that others may keep busy before a measurement, the broker's own upkeep included.
QUIET = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def described() -> str:
    """One line: cores, processor, memory, Python."""
    model = "unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    memory = _PAGE * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {sys.platform}, {python}"


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


def quiet(patience: float) -> float | None:
    """Waits until others leave the machine alone; how busy they are by then, in cores."""
    limit = time.monotonic() + patience
    while True:
        cores = busy(min(2.0, max(patience, 0.2)))
        if cores is None or cores <= QUIET or time.monotonic() >= limit:
            return cores


def cpu(pid: int) -> float:
    """CPU-seconds of a running process, from Linux' own book."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident(pid: int | str = "self") -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def broker() -> int | None:
    """The process of a broker that this one started with Java; None where it is another's, or in a container."""
    own = os.getpid()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == own and b"\0kafka.Kafka\0" in (place / "cmdline").read_bytes():
                return int(place.name)
        except (OSError, IndexError):
            continue  # it has ended meanwhile
    return None


def _spent() -> float | None:
    """Seconds of all cores outside of idling, since the start of the machine."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, stat.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS
