"""The policy that `tune` writes."""

from __future__ import annotations

from pathlib import Path

from schemas.times import DAY, render
from streams.policy import load
from streams.policy.settings import settings
from streams.tune.findings import Choice, Findings, Goal, Kind, Proposal
from streams.tune.policy_file import written
from streams.tune.shares import Share
from tests.unit.tune.histories import T0

SHARE = Share(0.81, 0.77, 0.85, 120)


def proposal(carrier: str | None, kind: Kind, hours: float, outcome: str = "written") -> Proposal:
    choice = Choice(hours, "own", SHARE, SHARE, 1.0, None)
    return Proposal(carrier, "near", kind, 72, 1.0, outcome, choice)  # type: ignore[arg-type]


def findings(*proposals: Proposal) -> Findings:
    goals: dict[Kind, Goal] = {"slow": Goal(0.5, 3), "stalled": Goal(0.8, 7)}
    times = (render(T0), render(T0 + 60 * DAY), render(T0 + 90 * DAY))
    return Findings("default@1", 1, 0, *times, 0.9, 30, goals, [], list(proposals))


def file(tmp_path: Path, extends: str, *proposals: Proposal) -> Path:
    path = tmp_path / "tuned.toml"
    text = written(findings(*proposals), load.load(extends), load.extending(extends, path), "tuned")
    assert text is not None
    path.write_text(text)
    return path


def test_it_holds_what_was_found_and_nothing_else(tmp_path: Path) -> None:
    path = file(
        tmp_path, "default", proposal("ZTO", "slow", 36), proposal("ZTO", "stalled", 96, "does_not_hold"),
        proposal(None, "stalled", 120),
    )  # fmt: skip
    policy, base = load.load(str(path)), load.load("default")

    row = policy.thresholds("zhongtong", T0)
    assert row.slow.micros == {**base.shipments.thresholds[0].slow.micros, "near": 36 * 3_600_000_000}
    assert row.stalled.micros == base.shipments.thresholds[0].stalled.micros
    other = policy.thresholds("YTO", T0)
    assert other.slow.micros == base.shipments.thresholds[0].slow.micros
    assert other.stalled.micros["near"] == 120 * 3_600_000_000
    assert policy.help_rate == base.help_rate


def test_the_source_of_each_number_is_shown_beside_it(tmp_path: Path) -> None:
    path = file(tmp_path, "default", proposal("ZTO", "slow", 36), proposal(None, "stalled", 120))
    rules = {one.name: one.rule for one in settings(str(path))[1] if one.rule is not None and "tune" in one.rule}

    assert rules == {
        "shipments.thresholds[carrier ZTO].slow.hours.near":
            "tune to 2026-04-30, its parcels: 81% (77-85) of 120 not delivered within 3 days; "
            "then to 2026-05-30: 81% (77-85) of 120",
        "shipments.thresholds[others].stalled.hours.near":
            "tune to 2026-04-30, its parcels: 81% (77-85) of 120 not delivered within 7 days; "
            "then to 2026-05-30: 81% (77-85) of 120",
    }  # fmt: skip


def test_rows_of_dated_periods_stay_as_they_are_and_come_first(tmp_path: Path) -> None:
    path = file(tmp_path, "tmall-2026", proposal("ZTO", "stalled", 90))
    policy, base = load.load(str(path)), load.load("tmall-2026")

    assert policy.shipments.thresholds[0] == base.shipments.thresholds[0]
    assert policy.thresholds("ZTO", T0).stalled.micros["near"] == 90 * 3_600_000_000
    assert not policy.thresholds("ZTO", T0).stalled.strict
    assert policy.thresholds("YTO", T0).stalled.micros == base.thresholds("YTO", T0).stalled.micros


def test_rows_of_other_carriers_stay(tmp_path: Path) -> None:
    base = tmp_path / "base.toml"
    base.write_text(
        'extends = "default"\n'
        '[[shipments.thresholds]]\ncarrier = "yto"\nslow = { hours = 20 }\nstalled = { hours = 99 }\n'
        '[[shipments.thresholds]]\ncarrier = "zto"\nslow = { hours = 21 }\nstalled = { hours = 98 }\n'
        "[[shipments.thresholds]]\nslow = { hours = 22 }\nstalled = { hours = 97 }\n"
    )
    policy = load.load(str(file(tmp_path, str(base), proposal("ZTO", "slow", 36))))

    assert policy.thresholds("YTO", T0).slow.hours == 20
    assert policy.thresholds("ZTO", T0).slow.micros["near"] == 36 * 3_600_000_000
    assert policy.thresholds("ZTO", T0).slow.micros["remote"] == 21 * 3_600_000_000
    assert policy.thresholds("EMS", T0).slow.hours == 22


def test_it_extends_a_file_by_its_path_from_there(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('extends = "default"\nname = "base"\n')
    (tmp_path / "out").mkdir()
    text = written(
        findings(proposal(None, "slow", 36)), load.load("default"),
        load.extending(str(tmp_path / "base.toml"), tmp_path / "out" / "tuned.toml"), "tuned",
    )  # fmt: skip

    assert text is not None
    assert 'extends = "../base.toml"' in text


def test_nothing_is_written_where_nothing_would_differ() -> None:
    found = findings(proposal("ZTO", "slow", 36, "does_not_hold"))

    assert written(found, load.load("default"), "default", "tuned") is None
