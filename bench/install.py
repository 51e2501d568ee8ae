"""The peers are installed, or built, where they are not yet."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = HERE / "peers"
#: What Maven has built of each peer in Java.
BUILT = ROOT / "target" / "bench"


class NotReadyError(RuntimeError):
    """A contender cannot be made ready; the text is one line."""


class Environment:
    """A virtual environment of a peer's own: nothing of it comes into the product's."""

    def __init__(self, name: str, requirements: str) -> None:
        self._folder = ROOT / name
        self._requirements = PEERS / requirements

    @property
    def python(self) -> str:
        return str(self._folder / "bin" / "python")

    def ready(self) -> None:
        """Raises NotReadyError."""
        stamp = self._folder / ".ready"
        wanted = self._requirements.read_text()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        _run([sys.executable, "-m", "venv", "--clear", str(self._folder)])
        # No tool that looks through the checkout is to look in here.
        (self._folder / ".gitignore").write_text("*\n")
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--requirement", str(self._requirements)])
        stamp.write_text(wanted)


PYTHON_PEERS = Environment(".venv-bench", "requirements.txt")
PYFLINK = Environment(".venv-pyflink", "requirements-pyflink.txt")


def nothing() -> None:
    """The product is there."""


def native() -> None:
    """Raises NotReadyError where parcelwatch-native is not installed."""
    if importlib.util.find_spec("parcelwatch_native") is None:
        raise NotReadyError("parcelwatch-native is not installed: `make .venv/.native` builds it")


def kafka_streams() -> None:
    """Raises NotReadyError."""
    _maven("kafka-streams")


def flink() -> None:
    """Raises NotReadyError."""
    _maven("flink")


def pyflink() -> None:
    """With the connector for Kafka, which comes by Maven. Raises NotReadyError."""
    flink()
    PYFLINK.ready()


def connector() -> Path:
    """PyFlink's connector for Kafka. Raises NotReadyError."""
    found = sorted((BUILT / "flink" / "python").glob("flink-sql-connector-kafka-*.jar"))
    if not found:
        raise NotReadyError("Flink's connector for Kafka is not there")
    return found[-1]


def _maven(peer: str) -> None:
    _run(["mvn", "-B", "-q", "-f", str(PEERS / peer / "pom.xml"), "process-classes"])


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        raise NotReadyError(f"{command[0]} is not there") from None
    if done.returncode:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no word why"]
        raise NotReadyError(f"{command[0]} {command[1]}: {lines[-1]}")
