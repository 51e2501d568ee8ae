"""`python -m bench.scan_texts [FILE]...`: precision and recall per status, and the ends that are wrong or missed."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.scan_texts.measure import labelled, score, table

_HERE = Path(__file__).parent


def main(names: list[str]) -> None:
    """Prints one table a file; `-v` also lists the texts whose end is wrong or missed."""
    verbose = "-v" in names
    files = [Path(name) for name in names if name != "-v"] or sorted(_HERE.glob("*.tsv"))
    for path in files:
        found = score(labelled(path))
        print(f"{path.stem}: {table(found)}\n")
        if verbose:
            for text in found.wrong + found.missed:
                print(f"  {text.status}: {text.text}")


if __name__ == "__main__":
    main(sys.argv[1:])
