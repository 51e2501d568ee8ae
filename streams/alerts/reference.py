"""Writes the reference for consumers of alerts: `docs/alerts.md`, and a JSON Schema for each alert type.

    python -m streams.alerts.reference [--check] [FOLDER]

Both are generated from the registry and the message catalogue. FOLDER is the project's root (default: this file's).
`--check` writes nothing, and exits with status 1 if a file is not current.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from streams.alerts.alert_schemas import schema_files
from streams.alerts.handbook import page

ROOT = Path(__file__).parents[2]
_PAGE = Path("docs/alerts.md")
_SCHEMAS = Path("schemas/jsonschema/alerts")


def files() -> dict[Path, bytes]:
    """The content of every file, by its path within the project."""
    schemas = {_SCHEMAS / name: content for name, content in schema_files().items()}
    return {_PAGE: page().encode(), **schemas}


def outdated(root: Path) -> list[Path]:
    """The files that are missing, out of date, or belong to a type that no longer exists."""
    wanted = files()
    there = {path.relative_to(root) for path in (root / _SCHEMAS).glob("*.json")}
    different = {path for path, content in wanted.items() if _content(root / path) != content}
    return sorted(different | (there - wanted.keys()))


def write(root: Path) -> None:
    """Updates the files, and removes those of types that no longer exist."""
    for path in outdated(root):
        (root / path).unlink(missing_ok=True)
    for path, content in files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 1 where `--check` finds a difference."""
    parser = argparse.ArgumentParser(
        prog="python -m streams.alerts.reference", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT)
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args(arguments)
    if not options.check:
        write(options.folder)
        return 0
    wrong = outdated(options.folder)
    for path in wrong:
        sys.stderr.write(f"{path}: not current; run python -m streams.alerts.reference\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
