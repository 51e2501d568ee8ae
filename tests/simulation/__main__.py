"""Runs seeds: `python -m tests.simulation --seed 7`, or `--seeds 1000 --jobs 2`."""

from __future__ import annotations

import os
import sys

# Sets are walked in the order of hashes, which must be the same in every run of a seed.
if os.environ.get("PYTHONHASHSEED") != "0":
    command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
    os.execve(sys.executable, command, os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606

from tests.simulation import virtual_time  # isort: skip  # before anything takes a clock by its name
from tests.simulation.run import main  # isort: skip

if __name__ == "__main__":
    del virtual_time
    sys.exit(main())
