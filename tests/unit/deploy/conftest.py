"""Leaves out the tests of files whose own tool is not installed."""

from __future__ import annotations

import shutil

import pytest

#: The tools that a module of tests calls.
NEEDED = {"test_alertmanager.py": "amtool", "test_prometheus.py": "promtool"}
LACKING = {module: tool for module, tool in NEEDED.items() if shutil.which(tool) is None}

collect_ignore = list(LACKING)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for tool in sorted(set(LACKING.values())):
        terminalreporter.write_line(f"no {tool} here: the tests that call it are left out")
