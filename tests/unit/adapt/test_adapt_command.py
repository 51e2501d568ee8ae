"""The command: lines on standard output, everything else on standard error, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.adapt import formats
from streams.cli.main import command_of

PARCEL = {"nu": "T1", "com": "yunda", "data": [{"time": "2024-03-05 12:00:00", "context": "已揽收"}]}


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    path = tmp_path / "parcel.json"
    path.write_text(json.dumps(PARCEL))
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(command_of("adapt"), [str(argument) for argument in arguments])


def test_each_event_is_one_line_of_topic_and_value(parcel: Path) -> None:
    result = invoke("kuaidi100", parcel)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line["topic"], line["value"]["status"]) for line in lines] == [("logistics-scans", "picked_up")]
    assert list(lines[0]) == ["topic", "value"]
    assert result.stderr == "scan 1; 1 shipments\n"


def test_inputs_are_written_in_the_order_given(parcel: Path, tmp_path: Path) -> None:
    early = tmp_path / "early.json"
    early.write_text(json.dumps({**PARCEL, "nu": "T0"}))
    result = invoke("kuaidi100", parcel, early)
    assert [json.loads(line)["value"]["tracking_no"] for line in result.stdout.splitlines()] == ["T1", "T0"]


def test_bad_items_and_unknown_words_are_told_and_the_status_is_0(tmp_path: Path) -> None:
    path = tmp_path / "parcel.json"
    data = [*PARCEL["data"], {"context": "x"}, {"time": "2024-03-05 13:00:00", "context": "好的"}]
    path.write_text(json.dumps({**PARCEL, "data": data}))
    result = invoke("kuaidi100", path)
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 2
    assert result.stderr.splitlines() == [
        f"left out: {path}: data[1]: no time",
        "scan 2; 1 shipments",
        "left out: 1 pieces that could not be read",
        "not understood, taken as in_transit (1 scans):",
        "      1  好的",
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nonsense", "{file}"], "unknown format 'nonsense'"),
        (["kuaidi100", "{folder}/missing.json"], "no such input"),
        (["kuaidi100", "{file}", "{folder}/missing.json"], "no such input"),
        (["kuaidi100", "{folder}"], "takes files, not a folder"),
        (["olist", "{file}"], "takes a folder"),
        (["kuaidi100", "{file}", "--tz", "Nowhere/Land"], "unknown time zone 'Nowhere/Land'"),
        (["kuaidi100", "{file}", "{file}", "--tracking-no", "T1"], "cannot hold for several inputs"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2_and_nothing_is_written(
    parcel: Path, arguments: list[str], told: str
) -> None:
    filled = [argument.format(file=parcel, folder=parcel.parent) for argument in arguments]
    result = invoke(*filled)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert told in result.stderr


def test_a_parcel_without_scans_is_no_mistake(parcel: Path) -> None:
    parcel.write_text(json.dumps({**PARCEL, "data": []}))
    result = invoke("kuaidi100", parcel)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no events; 0 shipments\n")


@pytest.mark.parametrize("content", ["", "<xml/>", "[]", '{"nu": 1}'])
def test_an_input_with_nothing_of_the_format_is_status_2(parcel: Path, content: str) -> None:
    parcel.write_text(content)
    result = invoke("kuaidi100", parcel)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == "Error: nothing of the format kuaidi100 in the input"


def test_the_help_names_every_format_with_its_zone_and_what_is_derived_for_olist() -> None:
    text = invoke("--help").stdout
    for found in formats().values():
        assert f"{found.name} " in text
        assert f"({found.tz})" in text
    assert "one order per seller" in " ".join(text.split())


def test_long_lists_of_unknown_words_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "parcel.json"
    rows = [{"time": "2024-03-05 12:00:00", "context": f"好{chr(0x4E00 + number)}"} for number in range(60)]
    path.write_text(json.dumps({**PARCEL, "data": rows}))
    result = invoke("kuaidi100", path)
    assert result.stderr.splitlines()[-1] == "         and 10 more"


def test_strict_is_status_1_if_anything_was_left_out_and_the_rest_is_written(parcel: Path) -> None:
    assert invoke("kuaidi100", parcel, "--strict").exit_code == 0
    parcel.write_text(json.dumps({**PARCEL, "data": [*PARCEL["data"], {"context": "x"}]}))
    assert invoke("kuaidi100", parcel).exit_code == 0
    result = invoke("kuaidi100", parcel, "--strict")
    assert (result.exit_code, len(result.stdout.splitlines())) == (1, 1)
    assert "Traceback" not in result.stderr


def test_a_repeated_scan_is_nothing_left_out(parcel: Path) -> None:
    parcel.write_text(json.dumps([PARCEL, PARCEL]))
    result = invoke("kuaidi100", parcel, "--strict")
    assert result.exit_code == 0
    assert "said once: 1 events that the file repeats" in result.stderr


def test_a_scan_ahead_of_now_is_told_and_now_may_be_given(parcel: Path) -> None:
    assert invoke("kuaidi100", parcel, "--now", "2024-03-04T05:00:00Z").exit_code == 0
    result = invoke("kuaidi100", parcel, "--now", "2024-03-01", "--strict")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "more than a day ahead of now: 2024-03-05T12:00:00+08:00" in result.stderr
    assert invoke("kuaidi100", parcel, "--now", "someday").exit_code == 2


def test_a_refusal_ends_with_the_platforms_own_reason(parcel: Path) -> None:
    parcel.write_text(json.dumps({"result": False, "message": "没有这个公司"}))
    result = invoke("kuaidi100", parcel)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1] == "Error: no event in the input: 没有这个公司"


def test_what_is_not_understood_comes_by_frequency_with_what_it_may_mean(tmp_path: Path) -> None:
    path = tmp_path / "parcel.json"
    texts = ["Arrivd at hubb"] * 2 + ["Zzyzx"]
    rows = [{"time": f"2024-03-05 12:00:0{index}", "context": text} for index, text in enumerate(texts)]
    path.write_text(json.dumps({**PARCEL, "data": rows}))
    assert invoke("kuaidi100", path).stderr.splitlines()[-2:] == [
        "      2  Arrivd at hubb  (perhaps held, as 'arrived at locker')",
        "      1  Zzyzx",
    ]


def test_a_carrier_that_may_be_misspelt_is_asked_about(parcel: Path) -> None:
    parcel.write_text(json.dumps({**PARCEL, "com": ""}))
    result = invoke("kuaidi100", parcel, "--carrier", "yundda")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == "no carrier is known as 'yundda'; perhaps YD"
    assert "perhaps" not in invoke("kuaidi100", parcel, "--carrier", "韵达").stderr


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"trackingNumber": "T1", "events": [{"time": "2024-03-05", "description": "Out for delivery"}]}, "no carrier"),
        ({"carrier": "ACME", "events": [{"time": "2024-03-05", "description": "Arrived"}]}, "no tracking number"),
        ({"trackingNumber": "T1", "carrier": "A", "events": [{"time": "soon", "description": "Arrived"}]}, "no time"),
    ],
)
def test_scans_that_all_lack_what_an_event_needs_are_status_2_with_what(
    tmp_path: Path, document: dict[str, object], what: str
) -> None:
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps(document))
    result = invoke("any", answer)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"no event in the input: {what}" in result.stderr
