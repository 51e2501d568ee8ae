"""Checks the model, or shows how a mutation goes wrong."""

from __future__ import annotations

import argparse
import sys
import time

from tests.model.bounds import CHECKED
from tests.model.checker import Found, check
from tests.model.protocol import MUTATIONS, Model


def main() -> int:
    """The command. 1 if anything is wrong that should not be, or right that should not."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--mutation", choices=(*MUTATIONS, "all"))
    given = parser.parse_args()
    status = 0
    if given.mutation is None:
        for name, bounds in CHECKED.items():
            began = time.process_time()
            found = check(Model(bounds))
            print(f"{name}: {found.states} states, {found.steps} steps, {time.process_time() - began:.1f} CPU-seconds")
            status |= bool(found.wrong)
            _show(found)
        return status
    for mutation in MUTATIONS if given.mutation == "all" else (given.mutation,):
        for name, bounds in CHECKED.items():
            found = check(Model(bounds, mutation))
            if found.wrong:
                print(f"{mutation}: found among {found.states} states of “{name}”: {found.wrong}")
                if given.mutation != "all":
                    _show(found)
                break
        else:
            print(f"{mutation}: not found")
            status = 1
    return status


def _show(found: Found) -> None:
    if found.wrong:
        print(f"  wrong: {found.wrong}")
        for step in found.way:
            print(f"    {step}")


if __name__ == "__main__":
    sys.exit(main())
