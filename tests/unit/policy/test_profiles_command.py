"""`parcelwatch policy`: who set what, what is wrong with a file, and how two policies differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.cli.main import main
from streams.policy import load
from streams.policy.settings import settings

OWN = """
extends = "distinct-orders"
name = "own"
[help_rate]
hold = 0.8
[shipments]
not_collected = { hours = 36 }
[[shipments.thresholds]]
carrier = "SF"
slow = { hours = 24 }
stalled = { hours = { after_pickup = 100, remote = 200, near = 120, cross_province = 140 }, strict = false }
[[shipments.thresholds]]
slow = { hours = 72 }
stalled = { hours = 168 }
[aftersales.warranty_days]
"a.b [c]" = 5
[sources]
"shipments" = "the agreement"
"shipments.not_collected" = "the agreement, 4.2"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.toml").write_text(OWN, "utf-8")
    Path("wrong.toml").write_text('extends = "default"\nx = 1\n[help_rate]\nhold = "0.9 %"\n', "utf-8")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], list[str]]:
    """The status, and the lines of both outputs."""
    with pytest.raises(SystemExit) as ended:
        main(["policy", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out.splitlines(), printed.err.splitlines()


def shown(capsys: pytest.CaptureFixture[str], name: str) -> dict[str, tuple[Any, str, str | None]]:
    status, out, err = run(capsys, "show", name, "--json")
    assert (status, err) == (0, [])
    rows = json.loads("\n".join(out))["settings"]
    found = {row["setting"]: (row["value"], row["set_by"], row["rule"]) for row in rows}
    assert len(found) == len(rows)
    return found


def test_show_tells_of_each_setting_who_set_it_and_the_rule(capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(capsys, "own.toml")
    assert found["name"] == ("own", "own.toml", None)
    assert found["help_rate.hold"] == (0.8, "own.toml", None)
    assert found["help_rate.distinct_orders"] == (True, "distinct-orders", "Profiles: distinct orders")
    assert found["help_rate.over"] == ("placed", "default", "Help rate (平台求助率)")
    assert found["shipments.not_collected.hours"] == (36, "own.toml", "the agreement, 4.2")
    assert found["shipments.given_up_days"] == (180, "default", "Shipments: giving up")
    assert found["aftersales.warranty_days.a.b [c]"] == (5, "own.toml", None)
    assert found["aftersales.warranty_days.footwear"][1] == "default"


def test_show_names_the_rows_of_a_list_and_what_they_leave_out_is_built_in(capsys: pytest.CaptureFixture[str]) -> None:
    found = shown(capsys, "own.toml")
    assert found["shipments.thresholds"] == (["carrier SF", "others"], "own.toml", "the agreement")
    assert found["shipments.thresholds[carrier SF].stalled.hours.near"] == (120, "own.toml", "the agreement")
    assert found["shipments.thresholds[carrier SF].stalled.strict"] == (False, "own.toml", "the agreement")
    assert found["shipments.thresholds[others].stalled.strict"] == (True, "built in", None)
    assert found["periods[618].first"][:2] == ("06-01", "default")


@pytest.mark.parametrize("profile", load.profiles())
def test_every_number_of_a_profile_has_a_source(profile: str) -> None:
    for one in settings(profile)[1]:
        assert one.set_by in (*load.profiles(), "built in")
        if one.set_by != "built in" and one.name not in ("name", "platform"):
            assert one.rule, one.name


@pytest.mark.parametrize("profile", load.profiles())
def test_show_leaves_nothing_out(profile: str) -> None:
    policy, found = settings(profile)
    names = {one.name for one in found}
    for part in ("help_rate", "orders", "tickets", "feed_silence", "clusters", "lateness"):
        for field in getattr(policy, part).__struct_fields__:
            assert f"{part}.{field}" in names


def test_show_is_a_plain_table_whose_lines_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "show", "own.toml")
    assert (status, err) == (0, [])
    assert out[0] == f"own@{load.load('own.toml').version} (own.toml <- distinct-orders <- default)"
    assert out[2].split("  ")[0] == "setting"
    assert len(out) == len(settings("own.toml")[1]) + 3
    (line,) = [line for line in out if line.startswith("interventions.phrases")]
    assert "entries: " in line
    assert "\x1b" not in "".join(out)
    assert any(line.split()[:2] == ["aftersales.warranty_days.a.b", "[c]"] for line in out)


def test_show_without_a_name_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "show") == run(capsys, "show", "default")


@pytest.mark.parametrize("name", [*load.profiles(), "own.toml"])
def test_check_of_a_good_policy_says_so(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(capsys, "check", name) == (0, [f"policy {name}: fine, {load.load(name).label}"], [])


def test_check_of_a_bad_one_is_a_line_for_each_problem_and_status_two(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "check", "wrong.toml")
    assert (status, out) == (2, [])
    assert sorted(line.split(": ")[2] for line in err) == ["help_rate.hold", "x"]
    assert run(capsys, "check", "nowhere")[0] == 2
    assert len(run(capsys, "check", "nowhere")[2]) == 1


def test_diff_tells_what_differs_field_by_field(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "diff", "default", "own.toml", "--json")
    assert status == 0
    found = {row["setting"]: (row["a"], row["b"]) for row in json.loads("\n".join(out))["differences"]}
    assert found == {
        "name": ("default", "own"),
        "shipments.not_collected.hours": (24, 36),
        "shipments.thresholds": (["others"], ["carrier SF", "others"]),
        "shipments.thresholds[carrier SF].slow.hours": (None, 24),
        "shipments.thresholds[carrier SF].slow.strict": (None, True),
        "shipments.thresholds[carrier SF].stalled.hours.after_pickup": (None, 100),
        "shipments.thresholds[carrier SF].stalled.hours.remote": (None, 200),
        "shipments.thresholds[carrier SF].stalled.hours.near": (None, 120),
        "shipments.thresholds[carrier SF].stalled.hours.cross_province": (None, 140),
        "shipments.thresholds[carrier SF].stalled.strict": (None, False),
        "help_rate.distinct_orders": (False, True),
        "help_rate.hold": (0.9, 0.8),
        "aftersales.warranty_days.a.b [c]": (None, 5),
    }


def test_one_number_for_all_tiers_is_compared_with_each(capsys: pytest.CaptureFixture[str]) -> None:
    for sides in (("default", "tmall-2026"), ("tmall-2026", "default")):
        _, out, _ = run(capsys, "diff", *sides)
        (line,) = [line for line in out if "[others].slow.hours.near " in line]
        assert line.split()[1:] == (["72", "48"] if sides[0] == "default" else ["48", "72"])
        # As for those elsewhere in the country, there is no difference.
        assert not [line for line in out if "[others].slow.hours.cross_province" in line]


def test_of_long_lists_diff_tells_what_only_one_has(capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = load.default().interventions.phrases
    phrases = [*others, "平台快来"]
    Path("own.toml").write_text(
        f'extends = "default"\n[interventions]\nphrases = {json.dumps(phrases, ensure_ascii=False)}\n', "utf-8"
    )
    _, out, _ = run(capsys, "diff", "default", "own.toml")
    assert len(out) == 2
    assert f"only here: {first}" in out[1]
    assert "only here: 平台快来" in out[1]


def test_equal_policies_do_not_differ(capsys: pytest.CaptureFixture[str]) -> None:
    Path("same.toml").write_text('extends = "default"\n')
    label = load.default().label
    assert run(capsys, "diff", "default", "same.toml") == (0, [f"default and same.toml do not differ: {label}"], [])


@pytest.mark.parametrize("arguments", [("show", "wrong.toml"), ("diff", "default", "wrong.toml"), ("diff", "no", "no")])
def test_a_bad_policy_ends_show_and_diff_with_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, out, err = run(capsys, *arguments)
    assert (status, out, len(err)) == (2, [], 1)
    assert err[0].startswith("parcelwatch: policy ")
