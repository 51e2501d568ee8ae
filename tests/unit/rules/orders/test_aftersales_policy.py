"""The after-sales part of a policy: what a file may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.policy import load


def loaded(folder: Path, text: str) -> load.Policy:
    file = folder / "own.toml"
    file.write_text(f'extends = "default"\nname = "own"\n{text}', "utf-8")
    return load.load(str(file))


def test_a_file_changes_single_categories_and_zero_takes_one_out(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "[aftersales.warranty_days]\ntoys = 60\nfootwear = 0\n").aftersales
    assert rules.warranty_days == {"3c-digital": 365, "home-appliances": 365, "footwear": 0, "toys": 60}
    assert rules.slow_category_days == load.default().aftersales.slow_category_days


def test_lists_of_categories_are_replaced_whole(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[aftersales]\nlong_categories = ["toys"]').aftersales.long_categories == ("toys",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[aftersales]\nbase_days = 181", "aftersales.long_base_days: must not be shorter than aftersales.base_days"),
        ("[aftersales]\nbase_days = 0", "aftersales.base_days: expected a number of days greater than 0"),
        ("[aftersales]\nquality_exchange_days = -1", "aftersales.quality_exchange_days: expected a number of days at"),
        ("[aftersales]\nno_such = 1", "aftersales.no_such: there is no such setting; allowed: base_days, "),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(load.BadPolicy) as refused:
        loaded(tmp_path, text)
    assert str(refused.value).startswith(f"policy {tmp_path / 'own.toml'}: {problem}")


def test_a_long_base_period_may_be_as_short_as_the_base_period(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[aftersales]\nlong_base_days = 15").aftersales.long_base_days == 15
