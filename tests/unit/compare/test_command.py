"""`parcelwatch compare` as its users meet it."""

from __future__ import annotations

import html.parser
import json
import re
import xml.etree.ElementTree as ET
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from streams.alerts.languages import untranslated
from streams.cli import findings_files
from streams.cli.main import main
from streams.compare import plots
from streams.compare.findings import Findings
from streams.compare.judging import judge
from streams.compare.report import render
from streams.compare.trial import Run
from streams.compare.wording import texts
from streams.policy import load
from streams.replay.reading import read

BOTH = ("--policy", "default", "--policy", "tmall-2026")


def compare(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", *arguments])
    assert not ended.value.code


@pytest.fixture(scope="module")
def found(marketplace: Path) -> Findings:
    run = Run([load.load("default"), load.load("tmall-2026")])
    run.take(read(marketplace))
    return judge(run)


@pytest.fixture(scope="module")
def report(found: Findings) -> str:
    return render(found, explain="events.jsonl --policy tmall-2026")


def test_off_a_terminal_the_table_is_plain_text_and_there_is_no_bar(
    marketplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(str(marketplace), *BOTH)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "\x1b" not in printed.out
    assert not set("│┃━─╷") & set(printed.out)
    lines = printed.out.splitlines()
    assert lines[0].startswith("A = default (default@")
    (stalled, *_) = [line.split() for line in lines if line.startswith("shipment.stalled ")]
    assert len(stalled) == 10
    assert all(part.lstrip("+-").isdecimal() for part in stalled[1:-1])


def test_the_json_file_holds_every_difference_and_is_the_same_each_time(marketplace: Path, tmp_path: Path) -> None:
    for name in ("1.json", "2.json"):
        compare(str(marketplace), *BOTH, "--json", str(tmp_path / name), "--until", "2026-09-20T00:00:00Z")
    assert (tmp_path / "1.json").read_bytes() == (tmp_path / "2.json").read_bytes()
    read_back = json.loads((tmp_path / "1.json").read_text())
    assert read_back["until"] == "2026-09-20T00:00:00Z"
    changed = sum(row["changes"][change] for row in read_back["types"] for change in row["changes"] if change != "same")
    assert len(read_back["differences"]) == changed > 0


class Page(html.parser.HTMLParser):
    """What a page would load or run, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.scripts = 0
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" or any(name.startswith("on") for name, _ in attrs)
        named = [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]
        self.outside += [value for value in named if not value.startswith("#")]

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


def test_the_report_is_written_whole(marketplace: Path, tmp_path: Path, report: str) -> None:
    file = tmp_path / "report.html"
    compare(str(marketplace), *BOTH, "--html", str(file), "--lang", "en")
    assert file.read_text().replace(str(marketplace), "events.jsonl") == report


def test_the_report_is_one_file_that_loads_and_runs_nothing(report: str) -> None:
    text = report
    page = parsed(text)
    assert (page.outside, page.scripts) == ([], 0)
    assert "url(http" not in text
    assert "@import" not in text
    assert len(text) < 400_000
    assert text.count("<svg") == 4
    assert "tmall-2026" in page.text
    assert "Parcel stalled" in page.text


def test_names_in_the_report_are_text_whatever_they_hold(found: Findings) -> None:
    evil = msgspec.structs.replace(found, types=[], a=msgspec.structs.replace(found.a, name="<script>1</script>"))
    page = parsed(render(evil))
    assert page.scripts == 0
    assert "<script>1</script>" in page.text


def test_the_report_is_the_same_each_time(found: Findings, report: str) -> None:
    assert render(found, explain="events.jsonl --policy tmall-2026") == report


def test_the_report_has_another_language(found: Findings) -> None:
    page = parsed(render(found, "zh-CN"))
    assert (page.outside, page.scripts) == ([], 0)
    assert "包裹停滞" in page.text
    assert "仅 B" in page.text
    for english in ("only B", "share of the alerts", "Settings that differ"):
        assert english not in page.text


def test_every_text_is_there_in_every_language() -> None:
    assert untranslated(texts().values()) == []
    for text in texts().values():
        assert len({tuple(sorted(set(re.findall(r"{(\w+)}", one)))) for one in text.values()}) == 1, text


def test_the_settings_that_differ_come_first(found: Findings, report: str) -> None:
    (strict,) = [row for row in found.settings if row.name == "shipments.thresholds[others].stalled.strict"]
    assert (strict.a, strict.b) == (True, False)
    assert report.index("stalled.strict") < report.index("alerts under A")


def test_types_without_a_difference_are_folded(found: Findings, report: str) -> None:
    assert {row.type for row in found.changed} == {"shipment.slow", "shipment.stalled"}
    folded = report[report.index("<details>") : report.index("</details>")]
    assert "order.ship_late" in folded
    assert "shipment.stalled" not in folded


def test_each_type_that_differs_has_an_example_to_explain(found: Findings, report: str) -> None:
    for row in found.changed:
        assert row.example is not None
        assert row.example.raised_a != row.example.raised_b
        assert f'href="#{row.type}"' in report
        assert f'id="{row.type}"' in report
        assert f"parcelwatch explain {row.example.explain} events.jsonl --policy tmall-2026" in report


def test_a_report_of_nothing_says_so(tmp_path: Path) -> None:
    run = Run([load.load("default"), load.load("tmall-2026")])
    run.take([])
    page = parsed(render(judge(run)))
    assert "No alerts under either policy." in page.text


@pytest.mark.parametrize("plot", [plots.changes, plots.over_soon, plots.by_day, plots.levels])
def test_a_plot_is_well_formed_and_says_what_its_axes_are(plot: object, found: Findings) -> None:
    assert callable(plot)
    svg = plot(found)
    texts = {"".join(one.itertext()).strip() for one in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")}  # noqa: S314
    units = ("share of the alerts", "day (UTC), 2026-", "shops", "alerts a day")
    assert [text for text in texts if text.startswith(units)]
    assert {"A", "B", "same time", "shipment.stalled"} & texts
    # Whatever policies and shops are called, no letter needs a font that the plot was not measured with.
    assert all(text.isascii() for text in texts)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policy", "default"), "two are compared, 1 given"),
        ((), "two are compared, 0 given"),
        ((*BOTH, "--policy", "default"), "two are compared, 3 given"),
        (("--policy", "default", "--policy", "nowhere"), "policy nowhere: neither a profile"),
        ((*BOTH, "--html", "nowhere/report.html"), "nowhere/report.html: its folder does not exist"),
        ((*BOTH, "--json", "."), "'.' is a directory"),
        ((*BOTH, "--until", "soon"), "'--until'"),
        (BOTH, "nothing.jsonl: no such file or folder"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["compare", "nothing.jsonl", *arguments])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_without_the_extra_a_report_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_files, "find_spec", lambda name: None if name == "matplotlib" else find_spec(name))
    with pytest.raises(SystemExit) as ended:
        main(["compare", "nothing.jsonl", *BOTH, "--html", "report.html"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "needs matplotlib: pip install 'parcelwatch[report]'" in said
