"""The command, as a user calls it."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from streams.cli.main import main
from streams.policy import load
from streams.policy.estimates import read_model
from streams.tune.findings import Findings
from tests.unit.tune.histories import T0, lines, scan, shipped


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 days of a carrier of which a tenth of the parcels is lost after the pick-up."""
    dice = random.Random(5)
    found = []
    for number in range(6_000):
        at = dice.random() * 2400
        found += [
            shipped(str(number), at, from_region="浙江", to_region="江苏"),
            scan(str(number), at + 5, "picked_up"),
        ]
        if dice.random() > 0.1:
            found.append(scan(str(number), at + 5 + dice.expovariate(1 / 48), "delivered"))
    file = tmp_path_factory.mktemp("history") / "events.jsonl"
    file.write_bytes(lines(sorted(found, key=lambda event: event["value"]["occurred_at"])))
    return file


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["tune", *map(str, arguments)])
    status = ended.value.code
    return status if isinstance(status, int) else 0


def test_it_prints_what_it_found_and_writes_policy_report_and_findings(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, html, json = tmp_path / "tuned.toml", tmp_path / "tuned.html", tmp_path / "tuned.json"
    assert run(events, "--out", out, "--html", html, "--json", json) == 0

    said = capsys.readouterr().out
    assert "holds" in said
    assert f"--policy default --policy {out}" in said
    found = msgspec.json.decode(json.read_bytes(), type=Findings)
    stalled = next(
        one for one in found.proposals if (one.carrier, one.tier, one.kind) == ("ZTO", "after_pickup", "stalled")
    )
    assert stalled.outcome == "written"
    assert stalled.choice is not None
    assert (
        load.load(str(out)).thresholds("zto", T0).stalled.micros["after_pickup"] == stalled.choice.hours * 3_600_000_000
    )
    page = html.read_text()
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http://www.w3.org/", "")


def test_the_same_history_gives_the_same_bytes(events: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        at = tmp_path / name
        assert run(events, "--out", at / "t.toml", "--html", at / "t.html", "--json", at / "t.json") == 0

    for name in ("t.toml", "t.html", "t.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_model_is_written_judged_and_named_by_the_policy_the_same_bytes_each_time(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "below").mkdir()
    out, json, html = tmp_path / "tuned.toml", tmp_path / "tuned.json", tmp_path / "tuned.html"
    models = tmp_path / "below" / "deliveries.json", tmp_path / "again.json"
    assert run(events, "--model", models[0], "--out", out, "--json", json, "--html", html) == 0
    said = capsys.readouterr().out
    assert run(events, "--model", models[1]) == 0

    assert models[0].read_bytes() == models[1].read_bytes()
    policy = load.load(str(out))
    assert policy.estimates.file == str(models[0])
    assert policy.estimates.model == read_model(str(models[1]))
    assert f"{models[0]}: written, " in said
    # Nine of ten are delivered at all: by definition half of them by p50, also in the last part.
    found = msgspec.json.decode(json.read_bytes(), type=Findings).estimates
    by_p50 = next(one.by_p50 for one in found if one.silent_hours == 24)
    assert by_p50 is not None
    assert by_p50.low - 0.02 <= 0.5 <= by_p50.high + 0.02
    assert "24 h" in said.partition("Delivery estimates")[2]
    assert "<h2>Delivery estimates</h2>" in html.read_text()


def test_a_model_is_named_by_a_policy_that_has_no_threshold_of_its_own(events: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "tuned.toml", tmp_path / "deliveries.json"
    assert run(events, "--model", model, "--out", out, "--slow-right", "0.99", "--slow-days", "90",
               "--stalled-right", "0.99", "--stalled-days", "90") == 0  # fmt: skip

    policy = load.load(str(out))
    assert policy.shipments == load.default().shipments
    assert policy.estimates.model == read_model(str(model))


def test_of_too_few_parcels_no_model_is_written(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, model = tmp_path / "tuned.toml", tmp_path / "deliveries.json"
    assert run(events, "--model", model, "--out", out, "--least", "6001") == 0

    assert not model.exists()
    assert not out.exists()
    assert f"{model}: not written, too few parcels" in capsys.readouterr().out


def test_nothing_is_written_where_no_threshold_is_right(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "tuned.toml"
    assert run(events, "--out", out, "--slow-right", "0.99", "--slow-days", "90", "--stalled-right", "0.99",
               "--stalled-days", "90") == 0  # fmt: skip

    assert not out.exists()
    assert "not written" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "line"), [
    (["nowhere.jsonl"], "nowhere.jsonl: no such file or folder"),
    (["EVENTS", "--policy", "nobodys"], "neither a profile"),
    (["EVENTS", "--slow-right", "1.5"], "1.5 is not in the range"),
    (["EVENTS", "--out", "nowhere/tuned.toml"], "its folder does not exist"),
    (["EVENTS", "--model", "nowhere/deliveries.json"], "its folder does not exist"),
    (["EMPTY"], "no events from which anything could be learnt"),
])  # fmt: skip
def test_a_mistake_is_one_line_with_status_2(
    events: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    (tmp_path / "empty.jsonl").touch()
    places = {"EVENTS": str(events), "EMPTY": str(tmp_path / "empty.jsonl")}

    assert run(*(places.get(one, one) for one in arguments)) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert line in said[0]


def test_without_its_libraries_it_says_what_to_install(
    events: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("streams.cli.findings_files.find_spec", lambda _: None)

    assert run(events) == 2
    assert "pip install 'parcelwatch[tune]'" in capsys.readouterr().err
