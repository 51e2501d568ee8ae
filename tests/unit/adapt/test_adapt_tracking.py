"""Each platform's shape into scans, with small invented parcels."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from .conftest import Run

NOON = "2024-03-05 12:00:00"
LATER = "2024-03-05 13:00:00"

KUAIDI100: dict[str, Any] = {
    "nu": "T1",
    "com": "zhongtong",
    "data": [
        {"time": LATER, "context": "快件到达【北郊转运中心】", "status": "在途", "areaName": "山东,济南市"},
        {"time": NOON, "context": "【城东网点】已揽收", "status": "揽收"},
    ],
}
KDNIAO: dict[str, Any] = {
    "LogisticCode": "T1",
    "ShipperCode": "ZTO",
    "Traces": [
        {"AcceptTime": NOON, "AcceptStation": "【城东网点】已揽收", "Action": "1"},
        {"AcceptTime": LATER, "AcceptStation": "快件到达【北郊转运中心】", "Action": "204", "Location": "山东"},
    ],
}
CAINIAO: dict[str, Any] = {
    "mailNo": "T1",
    "partnerCode": "ZTO",
    "transitList": [
        {"time": NOON[:-3], "action": "TMS_ACCEPT", "message": "【城东网点】收件"},
        {"time": LATER[:-3], "action": "TMS_STATION_IN", "message": "【山东省】到【北郊转运中心】"},
    ],
}
SF: list[dict[str, Any]] = [
    {"scanDateTime": NOON, "remark": "【城东网点】已收取快件", "opCode": "54", "zoneCode": "001A"},
    {"scanDateTime": LATER, "remark": "快件到达 【北郊转运中心】", "opCode": "31", "zoneCode": "002B"},
]
AFTERSHIP: dict[str, Any] = {
    "tracking_number": "T1",
    "slug": "zto-express",
    "checkpoints": [
        {"checkpoint_time": "2024-03-05T12:00:00+08:00", "subtag": "InTransit_002", "location": "城东网点"},
        {
            "checkpoint_time": "2024-03-05T13:00:00+08:00",
            "subtag": "InTransit_003",
            "location": "北郊转运中心",
            "state": "山东省",
        },
    ],
}
TRACK17: dict[str, Any] = {
    "number": "T1",
    "carrier": 999,
    "track_info": {
        "tracking": {
            "providers": [
                {
                    "provider": {"key": 999, "name": "ZTO Express"},
                    "events": [
                        {
                            "time_iso": "2024-03-05T13:00:00+08:00",
                            "sub_status": "InTransit_Arrival",
                            "location": "北郊转运中心",
                            "address": {"state": "山东"},
                        },
                        {"time_utc": "2024-03-05T04:00:00Z", "stage": "PickedUp", "location": "城东网点"},
                    ],
                }
            ]
        }
    },
}
HISTORY: list[dict[str, Any]] = [
    {"shipment": "T1", "carrier": "ZTO", "time": "2024-03-05T12:00:00+08:00", "text": "【城东网点】已揽收"},
    {
        "shipment": "T1",
        "carrier": "ZTO",
        "time": "2024-03-05T13:00:00+08:00",
        "status": "TMS_STATION_IN",
        "text": "到【北郊转运中心】",
        "location": "山东,济南市",
    },
]
SAMPLES: dict[str, Any] = {
    "kuaidi100": KUAIDI100,
    "kdniao": KDNIAO,
    "cainiao": CAINIAO,
    "sf-route": SF,
    "aftership": AFTERSHIP,
    "17track": TRACK17,
    "history": HISTORY,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_gives_the_scans_of_a_parcel_in_the_order_of_their_times(run: Run, name: str) -> None:
    events, report = run(name, SAMPLES[name], tracking_no="T1")
    carrier = "SF" if name == "sf-route" else "ZTO"
    assert [(event["type"], event["carrier"], event["tracking_no"]) for event in events] == [
        ("scan", carrier, "T1")
    ] * 2
    assert [event["status"] for event in events] == ["picked_up", "arrived"]
    assert [event["facility"] for event in events] == ["城东网点", "北郊转运中心"]
    assert "region" not in events[0]
    assert events[1].get("region") == (None if name == "sf-route" else "山东")
    assert [event["occurred_at"] for event in events][1] == "2024-03-05T13:00:00+08:00"
    assert (report.problems, report.unknown, len(report.shipments)) == ([], {}, 1)


@pytest.mark.parametrize("name", SAMPLES)
def test_an_event_has_no_note_and_an_id_of_its_own_that_a_second_run_repeats(run: Run, name: str) -> None:
    events, _ = run(name, SAMPLES[name], tracking_no="T1")
    again, _ = run(name, SAMPLES[name], tracking_no="T1")
    assert events == again
    assert len({event["event_id"] for event in events}) == 2
    assert all(event["event_id"].startswith(f"{name}:T1:") for event in events)
    assert not any("note" in event for event in events)


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - {"sf-route", "history"}))
def test_a_parcel_is_found_alone_in_a_list_wrapped_and_line_by_line(run: Run, name: str) -> None:
    parcel = SAMPLES[name]
    plain, _ = run(name, parcel)
    wrapped = {"code": 0, "data": {"accepted": [{"more": parcel}]}}
    lines = json.dumps(parcel) + "\n\n" + json.dumps(wrapped) + "\n"
    assert run(name, [parcel])[0] == plain
    assert run(name, wrapped)[0] == plain
    assert run(name, lines)[0] == plain


def test_a_gzipped_file_and_one_with_a_byte_order_mark_are_read(run: Run) -> None:
    raw = json.dumps(KUAIDI100).encode()
    plain, _ = run("kuaidi100", raw)
    assert run("kuaidi100", gzip.compress(raw), name="input.json.gz")[0] == plain
    assert run("kuaidi100", b"\xef\xbb\xbf" + raw)[0] == plain


def test_a_repeated_scan_goes_out_once_and_is_counted(run: Run) -> None:
    events, report = run("kuaidi100", [KUAIDI100, KUAIDI100])
    assert len(events) == 2
    assert (report.repeats, report.left_out) == (2, {})


def test_scans_of_one_instant_keep_their_order_whichever_way_the_file_runs(run: Run) -> None:
    def rows(*texts: str) -> list[dict[str, str]]:
        return [{"time": NOON, "context": text} for text in texts]

    first = {"time": "2024-03-05 11:00:00", "context": "已揽收"}
    down = {"nu": "T1", "com": "yunda", "data": [*rows("已签收", "派件中"), first]}
    up = {"nu": "T1", "com": "yunda", "data": [first, *rows("派件中", "已签收")]}
    expected = ["picked_up", "out_for_delivery", "delivered"]
    assert [event["status"] for event in run("kuaidi100", down)[0]] == expected
    assert [event["status"] for event in run("kuaidi100", up)[0]] == expected


def test_the_scans_of_several_parcels_in_a_file_are_in_the_order_of_time(run: Run) -> None:
    early = {"nu": "T0", "com": "yunda", "data": [{"time": "2024-03-05 12:30:00", "context": "已揽收"}]}
    events, report = run("kuaidi100", [KUAIDI100, early])
    assert [event["tracking_no"] for event in events] == ["T1", "T0", "T1"]
    assert len(report.shipments) == 2


def test_another_zone_may_be_told_for_naive_times_only(run: Run) -> None:
    naive, _ = run("kuaidi100", KUAIDI100, tz="Asia/Tokyo")
    assert naive[0]["occurred_at"] == "2024-03-05T12:00:00+09:00"
    told, _ = run("aftership", AFTERSHIP, tz="Asia/Tokyo")
    assert told[0]["occurred_at"] == "2024-03-05T12:00:00+08:00"


def test_what_is_not_understood_is_in_transit_and_counted_without_people(run: Run) -> None:
    item = {"time": NOON, "context": "阿姨说好的 电话13812345678", "status": "奇怪"}
    events, report = run("kuaidi100", {"nu": "T1", "com": "yunda", "data": [item, {**item, "time": LATER}]})
    assert [event["status"] for event in events] == ["in_transit"] * 2
    assert report.unknown == {("奇怪", "阿姨说好的 电话#"): 2}


def test_a_bad_item_is_left_out_with_its_place_and_the_rest_goes_on(run: Run) -> None:
    data = [{"context": "已揽收"}, "nonsense", {"time": "yesterday", "context": "x"}, KUAIDI100["data"][0]]
    events, report = run("kuaidi100", {"wrap": {**KUAIDI100, "data": data}})
    assert len(events) == 1
    assert [(found.where, found.what) for found in report.problems] == [
        ("wrap.data[0]", "no time"),
        ("wrap.data[1]", "not an object"),
        ("wrap.data[2]", "no time: 'yesterday'"),
    ]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"nu": ""}, "no tracking number: give it by --tracking-no (2 scans)"),
        ({"nu": None}, "no tracking number: give it by --tracking-no (2 scans)"),
        ({"nu": "9" * 129}, "tracking number of more than 128 characters (2 scans)"),
        ({"com": None}, "no carrier: give it by --carrier (2 scans)"),
    ],
)
def test_a_parcel_without_a_usable_number_or_carrier_is_a_problem(run: Run, change: dict[str, Any], what: str) -> None:
    events, report = run("kuaidi100", {**KUAIDI100, **change})
    assert events == []
    assert {found.what for found in report.problems} == {what}


def test_options_fill_in_what_the_data_does_not_name_and_nothing_else(run: Run) -> None:
    nameless = {**KUAIDI100, "nu": "", "com": ""}
    events, _ = run("kuaidi100", nameless, tracking_no="T9", carrier="圆通")
    assert {(event["tracking_no"], event["carrier"]) for event in events} == {("T9", "YTO")}
    events, _ = run("kuaidi100", KUAIDI100, tracking_no="T9", carrier="圆通")
    assert {(event["tracking_no"], event["carrier"]) for event in events} == {("T1", "ZTO")}


def test_the_longest_tracking_number_still_has_a_valid_event_id(run: Run) -> None:
    events, _ = run("kuaidi100", {**KUAIDI100, "nu": "9" * 128})
    assert len(events) == 2
    assert all(len(event["event_id"]) <= 128 for event in events)


def test_a_bare_route_list_has_its_number_from_the_option_and_never_from_the_file(run: Run) -> None:
    events, report = run("sf-route", SF, name="SF77.json")
    assert events == []
    assert [found.what for found in report.problems] == ["no tracking number: give it by --tracking-no (2 scans)"]
    assert {event["tracking_no"] for event in run("sf-route", SF, tracking_no="SF88")[0]} == {"SF88"}


def test_routes_that_name_their_parcel_are_told_apart(run: Run) -> None:
    wrapped = {"routeResps": [{"mailNo": "A", "routes": SF[:1]}, {"mailNo": "B", "routes": [SF[1], 7]}]}
    events, report = run("sf-route", wrapped)
    assert [event["tracking_no"] for event in events] == ["A", "B"]
    assert [str(found).split(": ", 1)[1] for found in report.problems] == ["routeResps[1].routes[1]: not an object"]


def test_a_route_without_a_named_facility_has_its_zone(run: Run) -> None:
    events, _ = run(
        "sf-route",
        [{"scanDateTime": NOON, "remark": "快件运输中", "opCode": "501", "zoneCode": "001A"}],
        tracking_no="1",
    )
    assert events[0]["facility"] == "001A"


def test_both_spellings_of_a_kdniao_trace_are_one_trace(run: Run) -> None:
    small = [{"acceptTime": NOON, "acceptStation": "已揽收"}]
    events, _ = run("kdniao", {"logisticCode": "T1", "shipperCode": "HTKY", "Traces": small, "traces": small})
    assert [(event["carrier"], event["status"]) for event in events] == [("BEST", "picked_up")]


def test_the_carrier_of_an_aftership_parcel_is_the_same_at_every_checkpoint(run: Run) -> None:
    points = [{**point, "slug": "other-post"} for point in AFTERSHIP["checkpoints"]]
    events, _ = run("aftership", {**AFTERSHIP, "checkpoints": points})
    assert {event["carrier"] for event in events} == {"ZTO"}


def test_events_of_all_17track_providers_are_one_parcel_of_the_registered_carrier(run: Run) -> None:
    first = TRACK17["track_info"]["tracking"]["providers"][0]
    second = {
        "provider": {"key": 5, "name": "YTO Express"},
        "events": [
            {"time_raw": {"date": "2024-03-06", "time": "09:00:00", "timezone": "+08:00"}, "stage": "Delivered"}
        ],
    }
    track_info = {"tracking": {"providers": [second, first]}}
    pushed = {"event": "TRACKING_UPDATED", "data": {**TRACK17, "track_info": track_info}}
    events, _ = run("17track", pushed)
    assert {event["carrier"] for event in events} == {"ZTO"}
    assert events[-1]["status"] == "delivered"
    assert events[-1]["occurred_at"] == "2024-03-06T09:00:00+08:00"


def test_what_17track_refused_is_told(run: Run) -> None:
    document = {"data": {"accepted": [TRACK17], "rejected": [{"number": "X", "error": {"message": "no such number"}}]}}
    events, report = run("17track", document)
    assert len(events) == 2
    assert report.problems[0].what == "X is refused: no such number"


def test_a_parcel_without_scans_is_read_and_gives_nothing(run: Run) -> None:
    events, report = run("kuaidi100", {"nu": "T1", "com": "yunda", "data": []})
    assert (events, report.readable, report.problems) == ([], 1, [])


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "is empty"),
        ('{\n"nu": \n', "not JSON"),
        ('{"message": "no such parcel"}', "no parcel in it: no such parcel"),
        ('{"anything": 1}', "nothing of the format kuaidi100 in it"),
        (b"\x1f\x8bbroken", "cannot be read"),
        (b"\xff\xfe", "is empty"),
    ],
)
def test_an_unreadable_file_is_one_problem(run: Run, content: str | bytes, what: str) -> None:
    events, report = run("kuaidi100", content)
    assert (events, report.readable) == ([], 0)
    assert len(report.problems) == 1
    assert report.problems[0].what.startswith(what)


def test_a_bad_line_is_left_out_with_its_number(run: Run) -> None:
    good = json.dumps(KUAIDI100)
    events, report = run("kuaidi100", f"{{oops\n{good}\n7\n{{}}\n")
    assert len(events) == 2
    assert [found.where for found in report.problems] == ["line 1", "line 3", "line 4"]
