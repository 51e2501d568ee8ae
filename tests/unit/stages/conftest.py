"""The tests of the native path are left out, with one line, where parcelwatch-native is not built."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

NEEDS_IT = [f"test_native_{what}.py" for what in ("values", "state", "panic", "lines", "records", "rows")]
collect_ignore = [] if find_spec("parcelwatch_native") else NEEDS_IT


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line(
            "parcelwatch-native is not built (`make native` does, with cargo): its tests are left out"
        )
