"""Whether the native path is taken is the operator's choice, and said."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from streams.cli.main import parcelwatch
from streams.rules.shipments.scan_status import NAMES
from streams.stages.shipments import native_scans
from streams.stages.shipments.parcel_rows import FORMAT

ROOT = Path(__file__).parents[3]


def module(
    version: str, statuses: tuple[str, ...] = NAMES, rows: int = FORMAT, calls: int = native_scans.CALLS
) -> ModuleType:
    made = ModuleType("parcelwatch_native")
    made.FORMAT, made.CALLS = rows, calls  # type: ignore[attr-defined]
    made.VERSION, made.statuses = version, lambda: list(statuses)  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("there", [
    None, module("0.0.9"), module(native_scans.VERSION, NAMES[::-1]), module(native_scans.VERSION, rows=64),
    module(native_scans.VERSION, calls=1),
])  # fmt: skip
def test_what_is_absent_or_does_not_fit_is_used_by_nobody(
    there: ModuleType | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "parcelwatch_native", there)
    assert native_scans.chosen("auto") is None
    assert native_scans.chosen("off") is None
    result = CliRunner().invoke(parcelwatch, ["replay", str(tmp_path), "--native", "on"])
    assert result.exit_code == 2
    assert "pip install 'parcelwatch[native]'" in result.output
    assert "Traceback" not in result.output


def test_what_fits_is_used_unless_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    fitting = module(native_scans.VERSION)
    monkeypatch.setitem(sys.modules, "parcelwatch_native", fitting)
    assert native_scans.chosen("auto") is native_scans.chosen("on") is fitting
    assert native_scans.chosen("off") is None
    assert (native_scans.used(fitting), native_scans.used(None)) == (native_scans.VERSION, "off")


def test_the_versions_agree_wherever_they_are_written() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["native"]
    crate = tomllib.loads((ROOT / "native" / "Cargo.toml").read_text())["package"]
    assert extra == [f"parcelwatch-native=={native_scans.VERSION}"]
    assert crate["version"] == native_scans.VERSION
