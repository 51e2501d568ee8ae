"""Writes the reference for consumers of alerts: `docs/alerts.md`, and a JSON Schema for each alert type.

    python -m streams.alerts.reference [--check] [FOLDER]

Both are generated from the registry and the message catalogue. FOLDER is the project's root (default: this file's).
`--check` writes nothing, and exits with status 1 if a file is not current.
"""

from __future__ import annotations

import sys
from pathlib import Path

from schemas.made_files import MadeFiles
from streams.alerts.alert_schemas import schema_files
from streams.alerts.handbook import page

ROOT = Path(__file__).parents[2]
_SCHEMAS = "schemas/jsonschema/alerts"


def files() -> dict[str, bytes]:
    """The content of every file, by its path within the project."""
    schemas = {f"{_SCHEMAS}/{name}": content for name, content in schema_files().items()}
    return {"docs/alerts.md": page().encode(), **schemas}


MADE = MadeFiles(
    "streams.alerts.reference", (__doc__ or "").split("\n")[0], ROOT, files, f"{_SCHEMAS}/*.json"
)  # fmt: skip
outdated, write, main = MADE.outdated, MADE.write, MADE.main


if __name__ == "__main__":
    sys.exit(main())
