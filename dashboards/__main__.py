"""Writes the dashboards as JSON, as Grafana provisions or imports them.

    python -m dashboards [--check] [FOLDER]

FOLDER is where they lie (default: the project's `deploy/grafana/dashboards`). `--check` writes nothing, and exits with
status 1 if a file is not current.
"""

from __future__ import annotations

import sys

from dashboards.files import FOLDER, files
from schemas.made_files import MadeFiles

main = MadeFiles("dashboards", (__doc__ or "").split("\n")[0], FOLDER, files, "*.json").main

if __name__ == "__main__":
    sys.exit(main())
