"""Every query of docs/analysis.md runs on a replay's files, and answers what Python finds in the JSON lines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from schemas.decode import Invalid, decode
from schemas.events import Scan
from schemas.times import DAY, HOUR, parse
from streams.alerts.cloudevents import name_of
from streams.policy import load
from streams.replay.reading import read
from streams.replay.run import Replay
from tests.patience import PATIENCE

GUIDE = (Path(__file__).parents[3] / "docs/analysis.md").read_text()
#: The heading under which a query stands, and the query.
QUERIES = [
    (section.splitlines()[0], query)
    for section in GUIDE.split("\n## ")[1:]
    for query in re.findall(r"^```sql\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
]

#: Asks all queries in the folder that it runs in, as a reader would. The answers are the same in any time zone.
ASK = """
import json, sys
import duckdb
connection = duckdb.connect()
connection.execute("SET TimeZone = 'Asia/Shanghai'")
answers = []
for query in json.load(sys.stdin):
    connection.execute(query)
    answers.append(([column[0] for column in connection.description or ()], connection.fetchall()))
json.dump(answers, sys.stdout)
"""


class Answers:
    """The rows of every query under its heading, and the cases as Python reads them."""

    def __init__(self, rows: list[tuple[str, list[str], list[list[Any]]]], cases: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.cases = cases

    def under(self, heading: str, place: int = 0) -> list[dict[str, Any]]:
        """The rows of the query at `place` under a heading, by column."""
        names, rows = [(names, rows) for head, names, rows in self.rows if head == heading][place]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def stalls(self) -> list[dict[str, Any]]:
        return [case for case in self.cases if case["alert"] == "shipment.stalled"]


def cases_of(folder: Path) -> list[dict[str, Any]]:
    """By type, subject and episode, out of the JSON lines."""
    cases: dict[tuple[str, str, str], dict[str, Any]] = {}
    for audience in ("merchant", "platform"):
        for line in (folder / f"alerts.{audience}.jsonl").read_text().splitlines():
            event = json.loads(line)
            data = event["data"]
            name = name_of(event["type"])
            case = cases.setdefault(
                (name, event["subject"], data["episode"]),
                {"alert": name, "subject": event["subject"], "resolved": None, "resolution": None},
            )
            case |= {member: data[member] for member in ("shop_id", "carrier")}
            case[data["status"]] = parse(event["time"])
            if data["status"] == "raised":
                case["evidence"] = data["evidence"]
            else:
                case["resolution"] = data["resolution"]
    return list(cases.values())


def deliveries(source: Path) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for line in read(source):
        if line.topic == "logistics-scans" and line.value is not None:
            try:
                event, time = decode(line.topic, line.value)
            except Invalid:
                continue
            assert isinstance(event, Scan)
            if event.status == "delivered":
                found.setdefault((event.carrier, event.tracking_no), []).append(time)
    return found


@pytest.fixture(scope="module")
def answers(marketplace: Path, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    place = tmp_path_factory.mktemp("analysis")
    replay = Replay(load.load("tmall-2026"))
    summary = replay.run(read(marketplace))
    replay.write(place, summary, "parquet")
    replay.write(place / "lines", summary)
    shutil.copy(marketplace, place / "events.jsonl")
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=place, input=json.dumps([query for _, query in QUERIES]), check=False,
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [(heading, *answer) for (heading, _), answer in zip(QUERIES, json.loads(done.stdout), strict=True)]
    cases = cases_of(place / "lines")
    delivered = deliveries(marketplace)
    for case in cases:
        times = delivered.get((case["carrier"], case["subject"]), [])
        case["delivered"] = min((time for time in times if time >= case["raised"]), default=None)
    return Answers(rows, cases)


def test_every_query_of_the_guide_answers_something(answers: Answers) -> None:
    assert len(answers.rows) == len(QUERIES) > 10
    for (heading, query), (_, _, rows) in zip(QUERIES, answers.rows, strict=True):
        assert rows or query.startswith("CREATE"), heading


def test_stalls_end_as_the_alerts_say(answers: Answers) -> None:
    expected = Counter((case["carrier"], case["resolution"]) for case in answers.stalls())
    rows = answers.under("How stalls ended")
    assert {(row["carrier"], row["resolution"]): row["stalls"] for row in rows} == expected
    assert sum(row["percent"] for row in rows if row["carrier"] == rows[0]["carrier"]) == pytest.approx(100, abs=0.3)


@pytest.mark.parametrize(("place", "column"), [(1, "carrier"), (2, "first_cause")])
def test_deliveries_after_the_stall_are_those_of_the_scans(answers: Answers, place: int, column: str) -> None:
    def group(case: dict[str, Any]) -> str:
        return str(case["carrier"] if column == "carrier" else case["evidence"]["causes"][0]["code"])

    all_, after = Counter(map(group, answers.stalls())), Counter(
        group(case) for case in answers.stalls() if case["delivered"] is not None
    )  # fmt: skip
    rows = answers.under("What share was delivered after all", place)
    assert {row[column]: (row["stalls"], row["delivered"]) for row in rows} == {
        name: (count, after[name]) for name, count in all_.items()
    }
    assert sum(after.values()) > 0
    for row in rows:
        assert row["percent"] == pytest.approx(100 * row["delivered"] / row["stalls"], abs=0.051)


def test_carrier_and_cause_together_leave_out_stalls_that_had_no_time_to_arrive(answers: Answers) -> None:
    last = max(case["raised"] for case in answers.cases)
    old = [case for case in answers.stalls() if case["raised"] < last - 14 * DAY]
    all_ = Counter((case["carrier"], case["evidence"]["causes"][0]["code"]) for case in old)
    rows = answers.under("What share was delivered after all", 4)
    assert {(row["carrier"], row["first_cause"]): row["stalls"] for row in rows} == all_
    assert sum(row["delivered"] for row in rows) == sum(case["delivered"] is not None for case in old)
    assert 0 < len(old) < len(answers.stalls())


def test_false_alarms_are_counted_by_the_threshold_of_the_alert(answers: Answers) -> None:
    last = max(case["raised"] for case in answers.cases)
    alerts, soon = Counter[tuple[str, float]](), Counter[tuple[str, float]]()
    for case in answers.cases:
        if case["alert"] not in ("shipment.slow", "shipment.stalled") or case["raised"] > last - DAY:
            continue
        key = case["alert"], case["evidence"]["threshold_hours"]
        alerts[key] += 1
        soon[key] += case["resolution"] in ("resumed", "delivered") and case["resolved"] <= case["raised"] + DAY
    rows = answers.under("False alarms by threshold")
    found = {(row["alert"], row["threshold_hours"]): (row["alerts"], row["soon_over"]) for row in rows}
    assert found == {key: (count, soon[key]) for key, count in alerts.items()}
    assert len({threshold for _, threshold in found}) > 2


def test_more_patience_never_gives_more_alerts_than_there_were_silences(answers: Answers) -> None:
    rows = answers.under("False alarms by threshold", 1)
    thresholds = [row["threshold_hours"] for row in rows]
    assert thresholds == list(range(thresholds[0], thresholds[-1] + 1, 24))
    last = max(case["raised"] for case in answers.cases)
    for row in rows:
        threshold = row["threshold_hours"] * HOUR
        silences = 0
        for case in answers.cases:
            if case["alert"] == "shipment.slow":
                since = parse(case["evidence"]["last_update"])
                end = case["resolved"] if case["resolved"] is not None else last
                silences += end - since > threshold and last - since >= threshold + DAY
        assert row["alerts"] == pytest.approx(silences, abs=1)


def test_shops_have_their_stalls_of_the_last_thirty_days(answers: Answers) -> None:
    rows = answers.under("Which shops")
    stalls = Counter(case["shop_id"] for case in answers.stalls())
    # The whole history is shorter than 30 days.
    assert {row["shop_id"]: row["stalls"] for row in rows} == {row["shop_id"]: stalls[row["shop_id"]] for row in rows}
    assert sum(row["stalls"] for row in rows) > 0
