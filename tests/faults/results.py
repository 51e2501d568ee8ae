"""`python -m tests.faults.results FILE...`: what the runs written down there come to, as a table."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path


def main() -> None:
    runs = [json.loads(line) for name in sys.argv[1:] for line in Path(name).read_text().splitlines()]
    faults, ends, total = Counter[str](), Counter[str](), Counter[str]()
    for run in runs:
        faults.update(run["faults"])
        ends.update(run["ends"])
        total.update({name: run.get(name, 0) for name in ("events", "records", "lost", "doubled", "wrong", "starts")})
        total.update({"runs": 1, "good": int(run["good"]), "seconds": round(run["seconds"])})
    print(", ".join(f"{name} {count:,}" for name, count in total.items()))
    print(f"faults that took hold: {faults.total()}; ends of workers by status: {dict(ends)}\n")
    print("| fault | times |\n|---|---|")
    for kind, count in sorted(faults.items()):
        print(f"| {kind} | {count} |")


if __name__ == "__main__":
    main()
