"""The system's Chromium, which the browser tests drive: nothing is downloaded for them."""

from __future__ import annotations

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """Where it is: PARCELWATCH_TEST_CHROMIUM, or one of the usual names."""
    named = os.environ.get("PARCELWATCH_TEST_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


if __name__ == "__main__":
    if executable() is None:
        sys.exit("tests in a browser: left out, there is no Chromium (Debian: apt install chromium fonts-noto-cjk)")
