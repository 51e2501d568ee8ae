"""Further shapes of each platform, with invented payloads of the same structure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from .conftest import Run

T = "2024-03-05 12:00:00"
U = "2024-03-05 13:00:00"
EPOCH = 1709611200000


def sf(*routes: dict[str, Any], number: str = "SF1") -> dict[str, Any]:
    return {"success": True, "errorCode": "S0000", "msgData": {"routeResps": [{"mailNo": number, "routes": [*routes]}]}}


SIGNED_WORDS = "【东山市】 您的快递已签收, 签收人在【智能柜的东门柜(智能快递柜)】领取。您的快递已经妥投。"

SHAPES: list[tuple[str, str, Any, list[tuple[str, str, str]]]] = [
    (
        "sf-route",
        "the answer as text inside the answer",
        {
            "apiResultCode": "A1000",
            "apiResultData": json.dumps(sf({"acceptTime": T, "remark": "运输中", "opCode": "31"})),
        },
        [("SF", "SF1", "arrived")],
    ),
    (
        "sf-route",
        "a status code of the newer answers comes before words and opCode",
        sf(
            {
                "acceptTime": T,
                "remark": "合作点【东山驿站店】已代收",
                "opCode": "655",
                "firstStatusCode": "7",
                "secondaryStatusCode": "701",
            }
        ),
        [("SF", "SF1", "info_received")],
    ),
    (
        "sf-route",
        "a push with the number in each route",
        {
            "Body": {
                "WaybillRoute": [
                    {"mailno": "A", "acceptTime": T, "remark": "顺丰速运 已收取快件", "opCode": "50"},
                    {"mailno": "B", "acceptTime": U, "remark": "正在派送途中,请您准备签收", "opCode": "44"},
                ]
            }
        },
        [("SF", "A", "picked_up"), ("SF", "B", "out_for_delivery")],
    ),
    (
        "kdniao",
        "signed for out of a locker",
        {
            "Data": [
                {
                    "LogisticCode": "K1",
                    "ShipperCode": "ZTO",
                    "State": "3",
                    "Traces": [{"AcceptTime": T, "AcceptStation": SIGNED_WORDS, "Action": "311"}],
                }
            ]
        },
        [("ZTO", "K1", "delivered")],
    ),
    (
        "cainiao",
        "Cainiao Global",
        {
            "module": [
                {
                    "mailNo": "RC1",
                    "detailList": [
                        {
                            "time": EPOCH,
                            "timeStr": "2024-03-05 12:00:00",
                            "timeZone": "GMT+2",
                            "desc": "Leaving customs",
                        },
                        {"time": EPOCH + 9, "desc": "Parcel delivered", "actionCode": "GTMS_SIGNED"},
                    ],
                }
            ]
        },
        [("CAINIAO", "RC1", "customs"), ("CAINIAO", "RC1", "delivered")],
    ),
    (
        "cainiao",
        "sections, the number as the name of the parcel",
        {
            "data": {
                "LP1": {
                    "sections": [
                        {"detailList": [{"time": "2024-03-05 10:11", "desc": "Departed from first facility"}]},
                        {
                            "timeZone": "GMT+11",
                            "detailList": [{"time": "2024-03-06 07:04", "desc": "Out for delivery"}],
                        },
                    ]
                }
            }
        },
        [("CAINIAO", "LP1", "departed"), ("CAINIAO", "LP1", "out_for_delivery")],
    ),
    (
        "cainiao",
        "two sections",
        {
            "data": [
                {
                    "mailNo": "LP2",
                    "section1": {"detailList": [{"time": T, "desc": "Arrived at sorting center", "timeZone": "+8"}]},
                    "section2": {"detailList": [{"time": U, "desc": "Delivered"}]},
                }
            ]
        },
        [("CAINIAO", "LP2", "arrived"), ("CAINIAO", "LP2", "delivered")],
    ),
    (
        "cainiao",
        "the open platform's steps",
        {
            "logistics_trace_search_response": {
                "out_sid": "T1",
                "company_name": "圆通速递",
                "trace_list": {"transit_step_info": [{"status_time": T, "status_desc": "快件已揽收"}]},
            }
        },
        [("YTO", "T1", "picked_up")],
    ),
    (
        "cainiao",
        "traces of traces",
        {"traces": [{"mail_no": "T1", "cp_code": "STO", "trace": [{"time": T, "desc": "已到达【东山转运中心】"}]}]},
        [("STO", "T1", "arrived")],
    ),
    (
        "douyin",
        "nodes of a route",
        {
            "data": {
                "track_no": "D1",
                "company": "yunda",
                "route_node_list": [
                    {"timestamp": "1709611200", "content": "快件已揽收"},
                    {"timestamp": "1709614800", "content": "已签收"},
                ],
            }
        },
        [("YD", "D1", "picked_up"), ("YD", "D1", "delivered")],
    ),
    (
        "douyin",
        "track_info",
        {
            "tracking_no": "D1",
            "express": "zhongtong",
            "track_info": [{"time": T, "content": "快件到达【东山转运中心】"}],
        },
        [("ZTO", "D1", "arrived")],
    ),
    (
        "17track",
        "v1",
        {
            "data": {
                "accepted": [
                    {
                        "number": "R1",
                        "track": {
                            "w1": 3011,
                            "e": 40,
                            "z0": {"a": "2024-03-05 14:04", "c": "SPRINGFIELD", "z": "Delivered, Left with Individual"},
                            "z1": [{"a": "2024-03-01 10:10", "c": "SHENZHEN", "z": "Acceptance"}],
                            "z2": [
                                {"a": "2024-03-05 14:04", "c": "SPRINGFIELD", "z": "Delivered, Left with Individual"}
                            ],
                        },
                    }
                ]
            }
        },
        [("CHINAPOST", "R1", "picked_up"), ("CHINAPOST", "R1", "delivered")],
    ),
    (
        "17track",
        "a push with the latest event alone",
        {
            "event": "TRACKING_UPDATED",
            "data": {
                "number": "R1",
                "carrier": 21051,
                "track_info": {"latest_event": {"time_utc": "2024-03-05T12:00:00Z", "sub_status": "InTransit_Arrival"}},
            },
        },
        [("USPS", "R1", "arrived")],
    ),
    (
        "aftership",
        "a push with the last checkpoint alone",
        {
            "data": {
                "tracking_number": "A1",
                "slug": "fedex",
                "last_checkpoint": {"checkpoint_time": "2024-03-05T12:00:00-04:00", "subtag": "InTransit_007"},
            }
        },
        [("FEDEX", "A1", "departed")],
    ),
    (
        "easypost",
        "a webhook",
        {
            "description": "tracker.updated",
            "result": {
                "tracking_code": "E1",
                "carrier": "UPS",
                "tracking_details": [
                    {"datetime": "2024-03-05T12:00:00Z", "status": "in_transit", "message": "Origin Scan"},
                    {
                        "datetime": "2024-03-05T13:00:00Z",
                        "status": "delivered",
                        "status_detail": "arrived_at_destination",
                        "message": "DELIVERED",
                        "tracking_location": {"city": "SPRINGFIELD", "state": "IL"},
                    },
                ],
            },
        },
        [("UPS", "E1", "in_transit"), ("UPS", "E1", "delivered")],
    ),
    (
        "shippo",
        "a webhook",
        {
            "event": "track_updated",
            "data": {
                "carrier": "usps",
                "tracking_number": "S1",
                "tracking_history": [
                    {
                        "status": "TRANSIT",
                        "status_date": "2024-03-05T12:00:00Z",
                        "substatus": {"code": "package_accepted"},
                    },
                    {
                        "status": "DELIVERED",
                        "status_date": "2024-03-05T13:00:00Z",
                        "status_details": "Your shipment has been delivered.",
                    },
                ],
            },
        },
        [("USPS", "S1", "picked_up"), ("USPS", "S1", "delivered")],
    ),
    (
        "shipengine",
        "a webhook that names its carrier",
        {
            "resource_type": "API_TRACK",
            "data": {
                "tracking_number": "G1",
                "carrier_code": "usps",
                "events": [
                    {"occurred_at": "2024-03-05T12:00:00Z", "description": "Arrived at Facility", "status_code": "IT"},
                    {
                        "occurred_at": "2024-03-05T13:00:00Z",
                        "description": "Delivered, In/At Mailbox",
                        "status_code": "DE",
                    },
                ],
            },
        },
        [("USPS", "G1", "arrived"), ("USPS", "G1", "delivered")],
    ),
    (
        "shiprocket",
        "an answer",
        {
            "tracking_data": {
                "shipment_track": [{"awb_code": "190", "courier_name": "Delhivery"}],
                "shipment_track_activities": [
                    {"date": U, "activity": "RTO - Delivered to origin", "sr-status": "10", "location": "Nowhere_D"},
                    {
                        "date": T,
                        "activity": "In Transit - Shipment picked up",
                        "sr-status": "42",
                        "location": "Nowhere_D",
                    },
                ],
            }
        },
        [("DELHIVERY", "190", "picked_up"), ("DELHIVERY", "190", "returned")],
    ),
    (
        "shiprocket",
        "a push",
        {
            "awb": "191",
            "courier_name": "Delhivery Surface",
            "scans": [{"date": T, "activity": "Manifested - Manifest uploaded", "sr-status": "5"}],
        },
        [("DELHIVERY", "191", "info_received")],
    ),
    (
        "ups",
        "an answer",
        {
            "trackResponse": {
                "shipment": [
                    {
                        "inquiryNumber": "1Z1",
                        "package": [
                            {
                                "trackingNumber": "1Z1",
                                "activity": [
                                    {
                                        "location": {"address": {"city": "SPRINGFIELD", "countryCode": "US"}},
                                        "status": {"type": "D", "description": "DELIVERED ", "code": "FS"},
                                        "date": "20240305",
                                        "time": "141500",
                                        "gmtOffset": "-05:00",
                                    },
                                    {
                                        "status": {"type": "I", "description": "Arrived at Facility"},
                                        "date": "20240305",
                                        "time": "071500",
                                        "gmtDate": "20240305",
                                        "gmtTime": "12:15:00",
                                    },
                                ],
                            }
                        ],
                    }
                ]
            }
        },
        [("UPS", "1Z1", "arrived"), ("UPS", "1Z1", "delivered")],
    ),
    (
        "fedex",
        "an answer",
        {
            "output": {
                "completeTrackResults": [
                    {
                        "trackResults": [
                            {
                                "trackingNumberInfo": {"trackingNumber": "F1", "carrierCode": "FDXE"},
                                "scanEvents": [
                                    {
                                        "date": "2024-03-05T12:01:00-07:00",
                                        "eventType": "PU",
                                        "eventDescription": "Picked up",
                                    },
                                    {
                                        "date": "2024-03-06T12:01:00-07:00",
                                        "eventType": "HL",
                                        "eventDescription": "Ready for recipient pickup",
                                    },
                                ],
                            }
                        ]
                    }
                ]
            }
        },
        [("FEDEX", "F1", "picked_up"), ("FEDEX", "F1", "held")],
    ),
    (
        "usps",
        "an answer",
        {
            "trackingNumber": "94",
            "trackingEvents": [
                {
                    "eventTimestamp": "2024-03-05T12:00:00Z",
                    "eventCode": "01",
                    "eventType": "Delivered, In/At Mailbox",
                    "eventCity": "SPRINGFIELD",
                },
                {"eventTimestamp": "2024-03-05T09:00:00Z", "eventCode": "OF", "eventType": "Out for Delivery"},
            ],
        },
        [("USPS", "94", "out_for_delivery"), ("USPS", "94", "delivered")],
    ),
    (
        "usps",
        "the older XML",
        '<TrackResponse><TrackInfo ID="95"><TrackSummary><EventTime>8:10 am</EventTime>'
        "<EventDate>June 1, 2024</EventDate>"
        "<Event>DELIVERED</Event><EventCity>SPRINGFIELD</EventCity><EventCode>01</EventCode></TrackSummary>"
        "<TrackDetail><EventTime>7:00 am</EventTime><EventDate>May 30, 2024</EventDate><Event>Acceptance</Event>"
        "<EventCode>03</EventCode></TrackDetail></TrackInfo></TrackResponse>",
        [("USPS", "95", "picked_up"), ("USPS", "95", "delivered")],
    ),
    (
        "dhl",
        "an answer of all of DHL",
        {
            "shipments": [
                {
                    "id": "H1",
                    "events": [
                        {
                            "timestamp": "2024-03-05T12:00:00",
                            "statusCode": "transit",
                            "description": "Departed facility",
                        },
                        {
                            "timestamp": "2024-03-05T13:00:00",
                            "statusCode": "delivered",
                            "description": "Delivered to packstation",
                        },
                    ],
                }
            ]
        },
        [("DHL", "H1", "departed"), ("DHL", "H1", "held")],
    ),
    (
        "dhl",
        "an answer of Express",
        {
            "shipments": [
                {
                    "shipmentTrackingNumber": "H2",
                    "events": [
                        {
                            "date": "2024-03-05",
                            "time": "13:06:00",
                            "typeCode": "PU",
                            "description": "Shipment picked up",
                        }
                    ],
                }
            ]
        },
        [("DHL", "H2", "picked_up")],
    ),
    (
        "jtexpress",
        "an answer",
        {
            "data": [
                {
                    "billCode": "JT1",
                    "details": [
                        {"scanTime": T, "scanType": "快件揽收", "desc": "快件已揽收", "scanNetworkName": "东山网点"},
                        {"scanTime": U, "scanType": "入库扫描", "desc": "包裹已到驿站，请凭取件码领取"},
                    ],
                }
            ]
        },
        [("JT", "JT1", "picked_up"), ("JT", "JT1", "held")],
    ),
    (
        "kuaidi100",
        "the state of the parcel for the newest scan of unknown words",
        {
            "nu": "N1",
            "com": "zhongtong",
            "state": "3",
            "data": [{"time": U, "context": "某某完毕"}, {"time": T, "context": "某某开始"}],
        },
        [("ZTO", "N1", "in_transit"), ("ZTO", "N1", "delivered")],
    ),
    (
        "kuaidi100",
        "put down at a station, and collected there",
        {
            "nu": "N2",
            "com": "yunda",
            "data": [
                {"time": U, "context": "【代收点】您的快件已签收，签收人在【东山小区入口】领取。"},
                {"time": T, "context": "快件已送达【菜鸟的东山小区店】, 如有问题请电联"},
            ],
        },
        [("YD", "N2", "held"), ("YD", "N2", "delivered")],
    ),
]


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [pytest.param(name, document, expected, id=f"{name}: {what}") for name, what, document, expected in SHAPES],
)
def test_a_shape_gives_its_scans(run: Run, name: str, document: Any, expected: list[tuple[str, str, str]]) -> None:
    events, report = run(name, document)
    assert [(event["carrier"], event["tracking_no"], event["status"]) for event in events] == expected
    assert report.problems == []


def test_times_of_a_section_are_of_its_own_zone_and_an_epoch_of_none(run: Run) -> None:
    documents = {what: document for _, what, document, _ in SHAPES}
    events, _ = run("cainiao", documents["sections, the number as the name of the parcel"])
    assert [event["occurred_at"][-6:] for event in events] == ["+08:00", "+11:00"]
    events, _ = run("cainiao", documents["Cainiao Global"])
    assert datetime.fromisoformat(events[0]["occurred_at"]) == datetime.fromtimestamp(EPOCH / 1000, UTC)


def test_a_bare_list_takes_number_and_carrier_from_the_options(run: Run) -> None:
    rows = {"list": [{"time": T, "context": "已揽收"}]}
    events, _ = run("kuaidi100", rows, tracking_no="T1", carrier="中通快递")
    assert [(event["carrier"], event["tracking_no"]) for event in events] == [("ZTO", "T1")]
    events, report = run("kuaidi100", rows)
    assert events == []
    assert [found.what for found in report.problems] == ["no tracking number: give it by --tracking-no (1 scans)"]


@pytest.mark.parametrize(
    ("name", "document", "told"),
    [
        (
            "kuaidi100",
            {"result": False, "returnCode": "400", "message": "没有这个公司"},
            "no parcel in it: 没有这个公司",
        ),
        ("kuaidi100", {"message": "查无结果", "nu": "", "com": "", "data": []}, "no scans: 查无结果"),
        ("sf-route", {"apiResultData": '{"success": false, "errorMsg": "没有路由"}'}, "no parcel in it: 没有路由"),
        (
            "kdniao",
            {"LogisticCode": "1", "ShipperCode": "SF", "Traces": None, "Reason": "没有套餐"},
            "no scans: 没有套餐",
        ),
        ("ups", {"response": {"errors": [{"code": "TW1", "message": "Not found"}]}}, "no parcel in it: Not found"),
        ("aftership", {"tracking_code": "1", "tracking_details": [{"datetime": T}]}, "it looks like easypost"),
    ],
)
def test_why_there_is_nothing_is_told_in_the_platforms_words(run: Run, name: str, document: Any, told: str) -> None:
    events, report = run(name, document)
    assert events == []
    assert [told in found.what for found in report.problems] == [True]


@pytest.mark.parametrize("name", ["kuaidi100", "kdniao", "aftership", "easypost", "jtexpress"])
def test_scans_that_are_null_are_a_parcel_without_scans(run: Run, name: str) -> None:
    documents: dict[str, Any] = {
        "kuaidi100": {"nu": "1", "com": "sf", "data": None},
        "kdniao": {"LogisticCode": "1", "ShipperCode": "SF", "Traces": None},
        "aftership": {"tracking_number": "1", "slug": "usps", "checkpoints": None},
        "easypost": {"tracking_code": "1", "carrier": "UPS", "tracking_details": None},
        "jtexpress": {"billCode": "1", "details": None},
    }
    events, report = run(name, documents[name])
    assert (events, report.readable, report.problems) == ([], 1, [])


def test_null_as_text_is_no_value(run: Run) -> None:
    points = [{"checkpoint_time": "2024-03-05T12:00:00", "message": "Arrival scan", "city": "null", "state": "NULL"}]
    events, report = run("aftership", {"tracking_number": "1", "slug": "usps", "checkpoints": points})
    assert not {"facility", "region"} & events[0].keys()
    points[0]["checkpoint_time"] = "null"
    events, report = run("aftership", {"tracking_number": "1", "slug": "usps", "checkpoints": points})
    assert [found.what for found in report.problems] == ["no time"]


def test_markup_in_a_text_is_none_of_its_words(run: Run) -> None:
    data = [{"time": T, "context": "<span style='x'>【东山转运中心】</span>&nbsp;已到达<br/>"}]
    events, _ = run("kuaidi100", {"nu": "1", "com": "zto", "data": data})
    assert (events[0]["status"], events[0]["facility"]) == ("arrived", "东山转运中心")


@pytest.mark.parametrize(("hours", "kept"), [(23, True), (24, True), (25, False)])
def test_a_scan_more_than_a_day_ahead_of_now_is_left_out(run: Run, hours: int, kept: bool) -> None:
    now = datetime(2024, 3, 5, 4, tzinfo=UTC)
    time = (now.timestamp() + hours * 3600) * 1000
    events, report = run("kuaidi100", {"nu": "1", "com": "zto", "data": [{"time": time, "context": "已到达"}]}, now=now)
    assert bool(events) == kept
    assert [found.what[:25] for found in report.problems] == ([] if kept else ["more than a day ahead of "])


@pytest.mark.parametrize(
    ("text", "facility"),
    [
        ("东山西部公司-某某食品-已收件", "东山西部公司"),
        ("已到达-东山转运中心", "东山转运中心"),
        ("东山中转部-已发往-西山转运中心", "东山中转部"),
    ],
)
def test_a_dash_is_no_part_of_a_facility(run: Run, text: str, facility: str) -> None:
    traces = [{"AcceptTime": T, "AcceptStation": text}]
    events, _ = run("kdniao", {"LogisticCode": "1", "ShipperCode": "STO", "Traces": traces})
    assert events[0]["facility"] == facility
