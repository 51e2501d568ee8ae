"""The profiles that come with the product, as files that one can copy and change."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from streams.policy import load
from streams.policy.settings import differences


def text_of(profile: str) -> str:
    return (resources.files("streams.policy") / "profiles" / f"{profile}.toml").read_text("utf-8")


def test_there_are_those_that_the_rules_name() -> None:
    assert load.profiles() == ["default", "distinct-orders", "taobao-experience-2026", "tmall-2026"]


@pytest.mark.parametrize("profile", load.profiles())
def test_a_copy_is_the_same_policy_and_can_be_changed(tmp_path: Path, profile: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text_of(profile))
    assert load.load(str(own)) == load.load(profile)
    own.write_text(text_of(profile).replace(f'name = "{profile}"', 'name = "own"'))
    assert [one.name for one in differences(load.load(profile), load.load(str(own)))] == ["name"]


@pytest.mark.parametrize("profile", sorted({*load.profiles()} - {"default"}))
def test_a_profile_gives_only_what_differs_from_the_default(profile: str) -> None:
    found = differences(load.default(), load.load(profile))
    part = "shipments" if profile == "tmall-2026" else "help_rate"
    assert all(one.name == "name" or one.name.startswith((part, "periods")) for one in found)
    assert text_of(profile).count("\n") < 45


def test_over_paid_orders_nothing_but_the_count_differs() -> None:
    found = differences(load.default(), load.load("taobao-experience-2026"))
    assert [(one.name, one.second) for one in found[1:]] == [
        ("help_rate.counted", ["dispute", "complaint", "intervention"]),
        ("help_rate.over", "paid"),
    ]


def test_with_distinct_orders_nothing_but_the_count_differs() -> None:
    found = differences(load.default(), load.load("distinct-orders"))
    assert [(one.name, one.second) for one in found[1:]] == [("help_rate.distinct_orders", True)]
