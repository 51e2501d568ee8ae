"""`parcelwatch explain` as its users meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli import environment, run
from tests.unit.explain import scenes
from tests.unit.rules.timeline import T0, Timeline, hours, render


def put(timeline: Timeline, file: Path) -> str:
    """Writes a timeline as a replay reads it."""
    file.write_bytes(
        b"".join(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, value in timeline.events)
    )
    return str(file)


@pytest.fixture
def late_order(tmp_path: Path) -> str:
    return put(scenes.late_order(), tmp_path / "in.jsonl")


def test_the_page_is_in_the_language_of_the_locale_or_the_one_asked_for(late_order: str) -> None:
    chinese = run("explain", "A", late_order, LANG="zh_CN.UTF-8", LC_ALL="zh_CN.UTF-8")
    english = run("explain", "A", late_order, LANG="zh_CN.UTF-8", PARCELWATCH_LANG="en")
    assert (chinese.returncode, chinese.stderr) == (0, "")
    assert chinese.stdout.startswith("订单 A\n店铺 S1 包裹 X1\n策略 default@")
    assert english.stdout.startswith("Order A\nshop S1 parcel X1\nPolicy default@")
    assert "\x1b" not in chinese.stdout


def test_as_json_it_is_one_object_with_sentences_in_both_languages(late_order: str) -> None:
    told = json.loads(run("explain", "A", late_order, "--json", "--until", render(T0 + hours(50))).stdout)
    assert set(told) == {"subject", "policy", "as_of", "stories", "unreadable"}
    assert (told["subject"], told["as_of"]) == ("A", "2025-03-05T02:00:00Z")
    (story,) = told["stories"]
    assert set(story) == {
        "kind", "id", "carrier", "orders", "parcels", "shops", "state", "events", "related_events", "alerts",
        "related_alerts", "checks", "escalations", "help_rate",
    }  # fmt: skip
    assert (story["kind"], story["id"], story["shops"]) == ("order", "A", ["S1"])
    assert story["parcels"] == [{"kind": "shipment", "id": "X1", "carrier": "SF"}]
    paid = story["events"][1]
    assert paid == {
        "time": "2025-03-03T01:00:00Z",
        "topic": "orders",
        "line": 2,
        "event_id": "e0001",
        "type": "order.paid",
        "about": [{"kind": "order", "id": "A", "carrier": None}],
        "shop_id": "S1",
        "facts": {"ship_by": "2025-03-03T10:00:00Z"},
        "marks": [],
        "message": {
            "zh-CN": "付款，约定 2025-03-03 18:00:00 前发货",
            "en": "paid, to be shipped by 2025-03-03 10:00:00",
        },
    }
    late = next(check for check in story["checks"] if check["type"] == "order.ship_late")
    assert late["outcome"] == "raised"
    assert (late["since"], late["due"]) == ("2025-03-03T01:00:00Z", "2025-03-03T10:00:00Z")
    assert set(late["message"]) == {"zh-CN", "en"}
    raised = next(one for one in story["alerts"] if one["type"] == "parcelwatch.order.ship_late.v1")
    assert raised["data"]["episode"] == late["episode"]
    assert [mark["code"] for mark in story["events"][-1]["marks"]] == ["left_out"]
    assert [(one["kind"], one["outcome"]) for one in story["escalations"]] == [
        ("dispute", "counts"), ("intervention", "counts"), ("intervention", "repeat"),
    ]  # fmt: skip


def test_a_shop_as_json_has_its_figures(tmp_path: Path) -> None:
    policy = tmp_path / "low.toml"
    policy.write_text('extends = "default"\nname = "low"\n[help_rate]\nmin_orders = 2\nmin_shops = 2\n')
    source = put(scenes.shops(), tmp_path / "in.jsonl")
    until = render(T0 + hours(15))
    told = json.loads(run("explain", "S1", source, "--policy", str(policy), "--json", "--until", until).stdout)
    figures = told["stories"][0]["help_rate"]
    assert [one["state"] for one in figures["changes"]] == ["insufficient", "ok", "elevated", "campaign_blocked"]
    now = figures["now"]
    assert (now["as_of"], now["state"], now["escalations_left"]) == ("2025-03-03T14:00:00Z", "campaign_blocked", 3)
    assert (now["rate"], now["baseline"], now["30d"]["disputes"]) == (1.0, 0.5, 4)
    assert now["thresholds"] == {"elevated": 0.6, "campaign_blocked": 0.75, "delisting_risk": 1.5}


def test_what_names_several_things_is_told_as_each_or_as_the_kind_asked_for(tmp_path: Path) -> None:
    source = put(Timeline().paid(0, "X1").scan("arrived", 1), tmp_path / "in.jsonl")
    assert [line for line in run("explain", "X1", source).stdout.splitlines() if "X1" in line[:12]] == [
        "Parcel X1 (SF)", "Order X1",
    ]  # fmt: skip
    assert run("explain", "X1", source, "--kind", "order").stdout.startswith("Order X1\n")


MISTAKES = [
    (("nothing", "in.jsonl"), "nothing: no shipment, order, ticket, conversation or shop of that name in the input"),
    (("A", "in.jsonl", "--kind", "ticket"), "A: no ticket of that name in the input, but: order"),
    (
        ("broken", "in.jsonl"),
        "invalid records that name it: 1, the first in orders, line 2: missing_field (type: missing)",
    ),
    (("A", "nowhere"), "nowhere: no such file or folder"),
    (("A",), "Missing argument 'INPUT', or --broker"),
    (("A", "in.jsonl", "--broker", "kafka://127.0.0.1:1"), "INPUT or --broker, not both"),
    (("A", "--broker", "127.0.0.1"), "not of the form kafka://HOST:PORT"),
    (("A", "--broker", "kafka://127.0.0.1:1"), "the broker cannot be used: connecting to 127.0.0.1:1: no broker"),
    (("A", "in.jsonl", "--until", "today"), "'--until': not an RFC 3339 time with an offset: today"),
    (("A", "in.jsonl", "--lang", "fr"), "'--lang'"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES)
def test_a_mistake_ends_with_status_2_and_one_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    put(Timeline().paid(0), tmp_path / "in.jsonl")
    with (tmp_path / "in.jsonl").open("a") as file:
        file.write('{"topic":"orders","value":{"order_id":"broken"}}\n')
    result = run("explain", *arguments, where=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_invalid_records_that_name_the_subject_are_shown(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    put(Timeline().paid(0), file)
    with file.open("a") as out:
        out.write('{"topic":"orders","value":{"type":"order.shipped","order_id":"A"}}\n')
        out.write('{"topic":"orders","value":{"type":"order.shipped","order_id":"B","shop_id":"not A"}}\n')
    page = run("explain", "A", str(file)).stdout
    assert page.endswith("Invalid records (dead letters)\n  orders, line 2: missing_field (event_id: missing)\n"), page[
        -200:
    ]


def test_an_id_that_is_written_with_escapes_is_found(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    value = json.dumps(
        {"event_id": "e", "type": "order.paid", "occurred_at": render(T0), "order_id": "单/1", "shop_id": "S"}
    )
    value = value.replace("/", "\\/")
    file.write_text(f'{{"topic":"orders","value":{value}}}\n')
    assert run("explain", "单/1", str(file)).stdout.startswith("Order 单/1\n")


def test_an_input_comes_before_the_broker_of_the_environment(late_order: str) -> None:
    assert run("explain", "A", late_order, PARCELWATCH_BROKER="kafka://127.0.0.1:1").stdout.startswith("Order A\n")


def test_the_input_may_come_through_a_pipe(late_order: str) -> None:
    command = f"cat {late_order} | {sys.executable} -m streams explain K /dev/stdin --lang en"
    done = subprocess.run(["bash", "-c", command], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Ticket K\n")


def two_names(folder: Path) -> str:
    """A parcel that is shipped by one name of its carrier and scanned by another."""
    file = folder / "two.jsonl"
    order = {"type": "order.shipped", "order_id": "A", "shop_id": "S", "tracking_no": "T1", "carrier": "zhongtong"}
    seen = {"type": "scan", "tracking_no": "T1", "carrier": "ZTO", "status": "picked_up"}
    lines = [
        {"topic": "orders", "value": {"event_id": "1", "occurred_at": render(T0), **order}},
        {"topic": "logistics-scans", "value": {"event_id": "2", "occurred_at": render(T0 + hours(1)), **seen}},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(file)


def test_two_names_of_one_carrier_are_one_question(tmp_path: Path) -> None:
    told = run("explain", "T1", two_names(tmp_path), "--lang", "en")
    assert told.returncode == 0
    assert told.stderr.splitlines() == [
        "'ZTO' and 'zhongtong' are names of one carrier: is this one parcel? "
        "[carriers] canonical = true in the policy makes it one"
    ]


def test_two_names_are_one_parcel_where_the_policy_says_so(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('extends = "default"\n[carriers]\ncanonical = true\n')
    told = run("explain", "T1", two_names(tmp_path), "--json", "--policy", str(policy))
    assert (told.returncode, told.stderr) == (0, "")
    (story,) = json.loads(told.stdout)["stories"]
    assert (story["carrier"], story["orders"]) == ("ZTO", ["A"])
    assert [event["type"] for event in story["events"]] == ["order.shipped", "scan"]
