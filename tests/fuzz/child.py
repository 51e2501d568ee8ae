"""`python -m tests.fuzz.child DOOR FOLDER [libFuzzer's options]`: one door under atheris, until an input fails it."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

# Of an environment of its own, which `make fuzz` makes.
import atheris

#: libFuzzer for the native part, where `make fuzz` has built that with its counters.
_FUZZER = Path(atheris.__file__).parent.parent / "libfuzzer.so"


def main() -> None:
    door, *options = sys.argv[1:]
    if _FUZZER.exists():
        ctypes.CDLL(str(_FUZZER), mode=ctypes.RTLD_GLOBAL)
    with atheris.instrument_imports(include=["schemas", "streams"], enable_loader_override=False):
        from tests.fuzz.targets import DOORS, folder
    import structlog

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    # It ends the process; the files of some doors are in memory, and few.
    with folder() as own:
        atheris.Setup([sys.argv[0], *options], DOORS[door](own))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
