"""Small inputs as files, and the recorded data where a checkout has some beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.decode import decode
from streams.adapt import Report, adapt

RECORDED = Path(__file__).resolve().parents[4] / "shared" / "data"

collect_ignore = [] if RECORDED.is_dir() else ["test_real_data.py", "test_real_field.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if collect_ignore:
        terminalreporter.write_line("no recorded data beside the checkout: its tests are left out")


Values = list[dict[str, Any]]
Run = Callable[..., tuple[Values, Report]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Adapts one document, written as the file `name`: its events, each of them valid, and the report."""

    def adapted(format_name: str, document: Any, *, name: str = "input.json", **options: Any) -> tuple[Values, Report]:
        path = tmp_path / name
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            path.write_text(document if isinstance(document, str) else json.dumps(document, ensure_ascii=False))
        report = Report()
        lines = list(adapt(format_name, [path], report=report, **options))
        for line in lines:
            decode(line.topic, json.dumps(line.value).encode())
        return [line.value for line in lines], report

    return adapted
