"""What a replay writes: the files, their order, the summary, the dead letters; and the command itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas.decode import MAX_BYTES, Reason
from schemas.events import CHATS, ORDERS, SCANS
from schemas.times import parse, render
from streams.cli.main import main, parcelwatch
from streams.marketplace.market import Plan, market
from tests.unit.rules.timeline import Timeline, days, hours
from tests.unit.schemas.invalid import INVALID
from tests.unit.schemas.values import AT, value

FILES = {
    "alerts.merchant.jsonl", "alerts.platform.jsonl", "help-rates.jsonl", "category-baselines.jsonl",
    "conversation-topics.jsonl", "refund-reasons.jsonl", "dead-letters.jsonl", "summary.json",
}  # fmt: skip


def lines(topic_values: list[tuple[str, bytes]]) -> bytes:
    return b"".join(b'{"topic":"%s","value":%s}\n' % (topic.encode(), raw) for topic, raw in topic_values)


def replay(source: Path, out: Path, *options: str) -> Result:
    return CliRunner().invoke(parcelwatch, ["replay", str(source), "--out", str(out), *options])


class Run:
    """A replay of these lines, and what it wrote."""

    def __init__(self, tmp_path: Path, content: bytes, *options: str) -> None:
        source = tmp_path / "in.jsonl"
        source.write_bytes(content)
        self.out = tmp_path / "out"
        self.result = replay(source, self.out, *options)
        assert self.result.exit_code == 0, self.result.output

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / f"{name}.jsonl").read_bytes().splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "summary.json").read_bytes())
        return found


HISTORY = (
    Timeline().paid(0, "B").placed(0, "B", shop_id="S2").shipped(0, "A").scan("departed", hours(30)).opened(hours(1))
    .complained(hours(2), shop_id="S0").shipped(hours(60), "B", number="X2").again().responded(hours(70))
    .scan("delivered", days(9)).scan("delivered", days(9), number="X2")
)  # fmt: skip


def test_every_file_is_written_though_it_may_be_empty(tmp_path: Path) -> None:
    run = Run(tmp_path, b"")
    assert {path.name for path in run.out.iterdir()} == FILES
    assert all(path.stat().st_size == 0 for path in run.out.iterdir() if path.name != "summary.json")
    assert run.summary["watermark"] is None
    assert sum(run.summary["records"].values()) == 0


def test_alerts_are_sorted_by_time_then_id_and_tables_by_key(tmp_path: Path) -> None:
    run = Run(tmp_path, lines(HISTORY.events))
    for audience in ("merchant", "platform"):
        alerts = run.rows(f"alerts.{audience}")
        assert alerts
        places = [(parse(alert["time"]), alert["id"]) for alert in alerts]
        assert places == sorted(places)
        assert {alert["data"]["audience"] for alert in alerts} == {audience}
    assert [row["shop_id"] for row in run.rows("help-rates")] == ["S0", "S1", "S2"]
    assert [row["category_id"] for row in run.rows("category-baselines")] == ["c1"]


def test_the_alerts_are_those_of_the_reader(tmp_path: Path) -> None:
    run = Run(tmp_path, lines(HISTORY.events))
    told = {
        (alert["type"], alert["time"], alert["data"]["status"])
        for audience in ("merchant", "platform")
        for alert in run.rows(f"alerts.{audience}")
    }
    heard = HISTORY.heard()
    assert told == {(f"parcelwatch.{one.type}.v1", render(one.time), one.status) for one in heard.alerts}
    assert len(told) > 8


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    events = [(one.topic, one.encode()) for one in market(Plan(seed=5, shops=6, orders_per_day=20, days=6))]
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        run = Run(tmp_path / name, lines(events))
        found.append({path.name: path.read_bytes() for path in run.out.iterdir()})
    assert found[0] == found[1]
    assert found[0]["alerts.merchant.jsonl"].count(b"\n") > 10


def test_a_folder_says_what_the_file_of_the_merged_lines_says(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for topic in (ORDERS, SCANS, CHATS):
        raw = sorted(
            (value for name, value in HISTORY.events if name == topic), key=lambda v: json.loads(v)["occurred_at"]
        )
        (tmp_path / "folder" / f"{topic}.jsonl").write_bytes(b"".join(one + b"\n" for one in raw))
    assert replay(tmp_path / "folder", tmp_path / "merged").exit_code == 0
    run = Run(tmp_path, lines(sorted(HISTORY.events, key=lambda event: json.loads(event[1])["occurred_at"])))
    for path in run.out.iterdir():
        assert (tmp_path / "merged" / path.name).read_bytes() == path.read_bytes()


def test_the_summary_counts_what_was_read_and_said(tmp_path: Path) -> None:
    timeline = (
        Timeline().paid(0).again().shipped(hours(50)).tick(hours(60)).scan("picked_up", hours(1)).paid(days(9), "Z")
    )
    content = lines(timeline.events) + b"not json\n" + lines([(CHATS, b"null"), (ORDERS, b"{}"), (ORDERS, b"null")])
    summary = Run(tmp_path, content, "--until", "2025-03-06T00:00:00Z").summary
    assert summary["records"] == {ORDERS: 6, SCANS: 1, CHATS: 2}
    assert summary["events"] == {"chat.message": 1, "order.paid": 2, "order.shipped": 1, "scan": 1}
    assert (summary["late"], summary["repeated"], summary["left_out"], summary["tombstones"]) == (1, 1, 1, 2)
    assert summary["dead"] == {"total": 2, "by_reason": {"missing_field": 1, "not_json": 1}}
    assert summary["alerts"]["order.ship_late"] == {"raised": 1, "resolved": 1}
    assert summary["watermark"] == "2025-03-06T00:00:00Z"
    assert summary["policy"].startswith("default@")


@pytest.mark.parametrize(("topic", "raw", "reason"), INVALID)
def test_an_invalid_value_is_a_dead_letter_and_its_neighbours_are_unharmed(
    tmp_path: Path, topic: str, raw: bytes, reason: Reason
) -> None:
    before, after = Timeline().paid(0, "before").events, Timeline().paid(0, "after").events
    for layout in ("file", "folder"):
        source = tmp_path / layout
        if layout == "file":
            # A line with such a value may be none itself.
            whole = reason is not Reason.NOT_JSON
            source.write_bytes(lines([*before, (topic, raw), *after]))
            place = (topic, 2) if whole else (None, 2)
        else:
            source.mkdir()
            (source / "orders.jsonl").write_bytes(before[0][1] + b"\n")
            with (source / f"{topic}.jsonl").open("ab") as file:
                file.write(raw + b"\n")
                place = (topic, 2 if topic == ORDERS else 1)
            with (source / "orders.jsonl").open("ab") as file:
                file.write(after[0][1] + b"\n")
        out = tmp_path / f"{layout}-out"
        assert replay(source, out, "--until", "2025-03-05T12:00:00Z").exit_code == 0
        (dead,) = (json.loads(line) for line in (out / "dead-letters.jsonl").read_bytes().splitlines())
        assert (dead["topic"], dead["line"], dead["error_code"]) == (*place, str(reason))
        assert dead["error_detail"]
        late = [json.loads(line)["subject"] for line in (out / "alerts.merchant.jsonl").read_bytes().splitlines()]
        assert sorted(late) == ["after", "after", "before", "before"]


def test_dead_letters_are_written_in_the_order_of_the_input_with_their_lines(tmp_path: Path) -> None:
    run = Run(tmp_path, b"\n[]\n\n" + lines([(ORDERS, b"5")]) + b'{"topic":"x"}')
    found = [(row["topic"], row["line"], row["error_code"]) for row in run.rows("dead-letters")]
    assert found == [(None, 2, "not_object"), (ORDERS, 4, "not_object"), (None, 5, "unknown_topic")]
    assert all(set(row) == {"topic", "line", "error_code", "error_detail"} for row in run.rows("dead-letters"))


@pytest.mark.parametrize(("now", "dead"), [(None, 0), ("2026-11-02T00:15:00Z", 0), ("2026-11-02T00:14:59.999999Z", 1)])
def test_an_event_more_than_24_hours_ahead_of_now_is_invalid_and_moves_no_watermark(
    tmp_path: Path, now: str | None, dead: int
) -> None:
    # 24 h ahead of the first of the two is allowed.
    assert parse(AT) == parse("2026-11-03T00:15:00Z")
    early = value(ORDERS, "order.paid", occurred_at="2026-11-01T00:00:00Z", order_id="B")
    content = lines([(ORDERS, value(ORDERS, "order.paid")), (ORDERS, early)])
    run = Run(tmp_path, content, *(("--now", now) if now else ()))
    assert run.summary["dead"]["total"] == dead
    assert run.summary["late"] == 1 - dead
    assert run.summary["watermark"] == ("2026-11-01T00:00:00Z" if dead else "2026-11-03T00:15:00Z")


def test_64_kib_are_read_and_a_byte_more_is_not(tmp_path: Path) -> None:
    room = MAX_BYTES - len(value(CHATS, "chat.message", text=""))
    content = lines([(CHATS, value(CHATS, "chat.message", text="x" * (room + more))) for more in (0, 1)])
    run = Run(tmp_path, content)
    assert [(row["line"], row["error_code"]) for row in run.rows("dead-letters")] == [(2, "too_large")]


def test_no_file_holds_a_buyer_or_a_text(tmp_path: Path) -> None:
    personal = "13800001111"
    timeline = Timeline().placed(0, buyer_id=personal).paid(0).message(1, f"平台介入 {personal}", order_id="A")
    timeline.message(2, f"call {personal}", conversation="C2")
    bad = value(CHATS, "chat.message", text=[personal], sender=personal)
    run = Run(
        tmp_path,
        lines([*timeline.events, (CHATS, bad), (ORDERS, f'"{personal}"'.encode())]),
        "--until",
        "2025-04-01T00:00:00Z",
    )
    assert run.summary["dead"]["total"] == 2
    assert not [path.name for path in run.out.iterdir() if personal.encode() in path.read_bytes()]


# -- the command


def status(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """The exit status, and the lines on standard error, of the command as it is started."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    return int(ended.value.code or 0), captured.err.splitlines()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--until", "tomorrow"], "--until"),
        (["--until", "2026-11-03T00:00:00"], "--until"),
        (["--now", "2026-02-30T00:00:00Z"], "--now"),
        (["--policy", "no-such-policy"], "no-such-policy"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_bad_option_ends_with_status_2_and_one_line_that_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], named: str
) -> None:
    (tmp_path / "in").write_bytes(b"")
    code, told = status(["replay", str(tmp_path / "in"), "--out", str(tmp_path / "out"), *options], capsys)
    assert (code, len(told)) == (2, 1)
    assert named in told[0]
    assert not (tmp_path / "out").exists()


def test_a_missing_input_ends_with_status_2_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([str(tmp_path / "nowhere")], []):
        code, told = status(["replay", *arguments, "--out", str(tmp_path / "out")], capsys)
        assert (code, len(told)) == (2, 1)
    broken = tmp_path / "in.gz"
    broken.write_bytes(b"no gzip")
    code, told = status(["replay", str(broken), "--out", str(tmp_path / "out")], capsys)
    assert (code, len(told)) == (2, 1)
    assert "in.gz" in told[0]


def test_a_folder_that_cannot_be_written_ends_with_status_2_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").write_bytes(b"")
    (tmp_path / "file").write_text("in the way")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        code, told = status(["replay", str(tmp_path / "in"), "--out", str(out)], capsys)
        assert (code, len(told)) == (2, 1)
    assert (tmp_path / "file").read_text() == "in the way"


def test_the_policy_is_named_by_profile_or_file(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("extends: default\nname: own\norders: {ship_by_hours: 10}\n")
    run = Run(tmp_path, lines(Timeline().paid(0).tick(hours(11)).events), "--policy", str(tmp_path / "own.yaml"))
    (alert,) = (alert for alert in run.rows("alerts.merchant") if alert["type"] == "parcelwatch.order.ship_late.v1")
    assert alert["time"] == "2025-03-03T10:00:00Z"
    assert alert["data"]["policy"] == run.summary["policy"]
    assert run.summary["policy"].startswith("own@")


def test_options_may_come_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(lines(Timeline().paid(0).events))
    environment = {"PARCELWATCH_OUT": str(tmp_path / "there"), "PARCELWATCH_REPLAY_UNTIL": "2025-03-06T00:00:00Z"}
    result = CliRunner().invoke(
        parcelwatch, ["replay", str(tmp_path / "in")], env=environment, auto_envvar_prefix="PARCELWATCH"
    )
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "there" / "summary.json").read_bytes())["alerts"]["order.ship_late"]["raised"] == 1


def test_where_there_is_no_terminal_no_bar_is_shown_and_what_was_found_is_told(tmp_path: Path) -> None:
    said = Run(tmp_path, lines(HISTORY.events)).result.output.splitlines()
    assert [line.partition(":")[0] for line in said[:-1]] == ["events", "alerts", "dead letters"]
    assert said[-1] == f"written to {tmp_path / 'out'}"
