"""Categories that are allowed, and may still be a slip."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli.main import parcelwatch


@pytest.mark.parametrize(
    ("setting", "field", "meant"),
    [
        ('long_categories = ["3c_digital"]', "long_categories: '3c_digital'", "3c-digital"),
        ('no_reason_exempt = ["fresh-foods"]', "no_reason_exempt: 'fresh-foods'", "fresh-food"),
        ("warranty_days = { footware = 90 }", "warranty_days: 'footware'", "footwear"),
        ("slow_category_days = { seedling = 30 }", "slow_category_days: 'seedling'", "seedlings"),
    ],
)
def test_check_asks_about_a_category_that_is_nearly_known(tmp_path: Path, setting: str, field: str, meant: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'extends = "default"\n[aftersales]\n{setting}\n', "utf-8")
    done = CliRunner().invoke(parcelwatch, ["policy", "check", str(file)])
    assert done.exit_code == 0
    assert done.stderr == f"parcelwatch: policy {file}: aftersales.{field} is new; did you mean {meant!r}?\n"
    assert done.stdout.startswith(f"policy {file}: fine")


def test_categories_of_ones_own_are_not_asked_about(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('extends = "default"\n[aftersales]\nlong_categories = ["3c-digital", "books"]\n', "utf-8")
    done = CliRunner().invoke(parcelwatch, ["policy", "check", str(file)])
    assert (done.exit_code, done.stderr) == (0, "")
