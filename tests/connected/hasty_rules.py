"""A copy of the rules for Prometheus in which a minute is two seconds: what takes hours takes a test's time.

Every `for`, range and `offset` is divided by 30, and no `for` is longer than ten such minutes. Rates and thresholds
stay as they are. The rules' own unit tests check the durations.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"
#: What durations are divided by, and how long a `for` may be at most before that, in seconds.
FASTER, LONGEST = 30, 600
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def hasty(text: str) -> str:
    """The text of a file of rules with its durations shortened."""
    return re.sub(r"(for: |offset |\[)(\d+)([smhd])\b", _shortened, text)


def _shortened(found: re.Match[str]) -> str:
    seconds = int(found[2]) * SECONDS[found[3]]
    return f"{found[1]}{(min(seconds, LONGEST) if found[1] == 'for: ' else seconds) * 1000 // FASTER}ms"


def hasty_files(folder: Path) -> list[Path]:
    """Writes the copies into a folder."""
    written = []
    for name in ("recording-rules.yml", "alert-rules.yml"):
        (folder / name).write_text(hasty((FOLDER / name).read_text()))
        written.append(folder / name)
    return written
