"""Data of carriers that parcelwatch has no format for: `any`, and a format described in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.adapt import InputError, Report, adapt
from streams.adapt.formats import from_toml

from .conftest import Run

DESCRIBED = """
zone = "Europe/Oslo"
dates = "day-first"
carrier = "FJORD"

[[layout]]
scans = "leg"
number = "^ref"
time = "dag+klokke"
codes = "k"
text = "hva"

[codes]
UT = "delivered"
"""


def told(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(event["tracking_no"], event["occurred_at"], event["status"]) for event in events]


@pytest.mark.parametrize(
    "document",
    [
        {
            "parcels": [
                {
                    "barcode": "N1",
                    "events": [{"eventDate": "2026-03-04", "eventTime": "09:00", "description": "Delivered"}],
                }
            ]
        },
        {
            "result": {
                "awb": "N1",
                "scans": [{"scanDetail": {"scanDateTime": "2026-03-04T09:00:00", "scan": "Delivered"}}],
            }
        },
        {
            "Key": "x",
            "Value": [
                {
                    "WaybillNumber": "N1",
                    "UpdateDescription": "Delivered",
                    "UpdateDateTime": "/Date(1772614800000+0300)/",
                }
            ],
        },
        {
            "objects": [
                {
                    "codObjeto": "N1",
                    "eventos": [
                        {
                            "dtHrCriado": {"date": "2026-03-04 09:00", "timezone": "UTC"},
                            "descricao": "Objeto entregue ao destinatário",
                        }
                    ],
                }
            ]
        },
        {
            "trackingNumber": "N1",
            "shipment": {"items": [{"history": [{"timestamp": "2026-03-04T09:00:00Z", "status": "DELIVERED"}]}]},
        },
        {
            "data": [
                {
                    "trackingNumber": "N1",
                    "created_at": "2026-03-01T09:00:00Z",
                    "status": "x",
                    "origin": {"trackinfo": [{"date": "2026-03-04 09:00", "message": "Delivered"}]},
                }
            ]
        },
        {"tracking_id": "N1", "timestamp": "2026-03-04T09:00:00+0000", "status": "Successful Delivery"},
        "<a xmlns='urn:x'><pin>N1</pin><significant-events><occurrence><event-date>2026-03-04</event-date>"
        "<event-time>09:00</event-time>"
        "<event-description>Delivered</event-description></occurrence></significant-events></a>",
    ],
)
def test_data_with_usual_names_is_read_without_a_format_of_its_own(run: Run, document: Any) -> None:
    events, report = run("any", document, carrier="ACME")
    assert (told(events), report.problems) == ([("N1", "2026-03-04T09:00:00+00:00", "delivered")], [])


def test_a_number_of_the_platform_itself_is_no_tracking_number(run: Run) -> None:
    events, report = run(
        "any", {"id": 7, "events": [{"date": "2026-03-04", "description": "Delivered"}]}, carrier="ACME"
    )
    assert events == []
    assert report.problems[0].what.startswith("no tracking number: give it by --tracking-no")


@pytest.mark.parametrize(("day_first", "month"), [(True, "04"), (False, "01")])
def test_dates_that_may_begin_with_either_are_read_as_they_are_said_to_be(
    run: Run, day_first: bool, month: str
) -> None:
    document = {"barcode": "N1", "events": [{"date": "01/04/2026 09:00", "description": "Delivered"}]}
    events, _ = run("any", document, carrier="ACME", day_first=day_first)
    assert events[0]["occurred_at"][5:7] == month


def test_without_being_told_a_date_of_two_readings_is_left_out_with_what_to_do(run: Run) -> None:
    _, report = run("any", {"barcode": "N1", "events": [{"date": "01/04/2026", "description": "x"}]}, carrier="ACME")
    assert report.problems[0].what == "no time: '01/04/2026': which is the month? --dates says it"


def test_a_file_describes_a_format(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "fjord.toml"
    path.write_text(DESCRIBED)
    document = {"ref": "N1", "reise": {"leg": [{"dag": "05/03/2026", "klokke": "09:00", "k": "UT", "hva": "?"}]}}
    events, report = run(str(path), document)
    assert (told(events), report.problems) == ([("N1", "2026-03-05T09:00:00+01:00", "delivered")], [])
    assert (events[0]["carrier"], events[0]["event_id"].split(":")[0]) == ("FJORD", "fjord")


def test_where_a_described_format_finds_nothing_the_message_says_what_there_is(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "fjord.toml"
    path.write_text(DESCRIBED)
    _, report = run(str(path), {"reise": {"ben": [{"dato": "x", "ord": "y"}]}})
    assert report.problems[0].what == "nothing of the format fjord in it; it has reise.ben[] with dato, ord"


LAYOUT = '[[layout]]\nscans = "e"\ntime = "t"\n'


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("zone = Oslo", "Invalid value (at line 1, column 8)"),
        ('help = "x"', "no [[layout]], which says where parcels and scans are"),
        (f'carier = "X"\n{LAYOUT}', "a format has no 'carier'; it has help,"),
        (f"carrier = 3\n{LAYOUT}", "carrier of a format is a text, not 3"),
        (f'zone = "Mars"\n{LAYOUT}', "unknown time zone 'Mars'"),
        (f'dates = "iso"\n{LAYOUT}', "dates are day-first or month-first, not 'iso'"),
        ('[[layout]]\nscan = "e"', "a layout has no 'scan' (did you mean scans?); it has scans,"),
        ("[[layout]]\nscans = 3", "scans of a layout is a path or a list of paths, not 3"),
        ('[[layout]]\ntimed = "yes"', "timed of a layout cannot be 'yes'"),
        ('[[layout]]\ntime = "t"', "a layout has no scans"),
        ('[[layout]]\nscans = "e"', "a layout has no time"),
        (f'{LAYOUT}[codes]\nD = "deliverd"', "'deliverd' is no status; they are info_received,"),
        (f"codes = 1\n{LAYOUT}", "codes is a table of codes"),
        (f"{LAYOUT}[include]\nnosuch = []", "include: there is no format 'nosuch'"),
    ],
)
def test_a_mistake_in_a_described_format_is_one_clear_line(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "fjord.toml"
    path.write_text(text)
    data = tmp_path / "data.json"
    data.write_text("{}")
    with pytest.raises(InputError) as raised:
        adapt(str(path), [data], report=Report())
    assert str(raised.value).startswith(f"{path}: ")
    assert what in str(raised.value)


def test_a_described_format_that_is_not_there_is_said(tmp_path: Path) -> None:
    data = tmp_path / "data.json"
    data.write_text("{}")
    with pytest.raises(InputError, match=r"none\.toml: cannot be read: No such file"):
        adapt("none.toml", [data], report=Report())


@pytest.mark.parametrize(
    ("name", "document", "carrier", "time"),
    [
        (
            "auspost",
            {
                "tracking_results": [
                    {
                        "tracking_id": "N1",
                        "trackable_items": [
                            {
                                "article_id": "N1",
                                "events": [
                                    {
                                        "date": "2026-03-04T09:00:00+11:00",
                                        "description": "Delivered",
                                        "location": "KEW VIC",
                                    }
                                ],
                            }
                        ],
                    }
                ]
            },
            "AUSPOST",
            "2026-03-04T09:00:00+11:00",
        ),
        (
            "royalmail",
            {
                "mailPieces": {
                    "mailPieceId": "09",
                    "summary": {"oneDBarcode": "N1"},
                    "events": [
                        {
                            "eventCode": "EVKSP",
                            "eventName": "Delivered and Signed",
                            "eventDateTime": "2026-03-04T09:00:00+00:00",
                            "locationName": "Leeds DO",
                        }
                    ],
                }
            },
            "ROYALMAIL",
            "2026-03-04T09:00:00+00:00",
        ),
        (
            "canadapost",
            {
                "pin": "N1",
                "events": [
                    {
                        "cd": "1496",
                        "datetime": {"date": "2026-03-04", "time": "09:00:00", "zoneOffset": "-05:00"},
                        "descEn": "Item successfully delivered",
                    }
                ],
            },
            "CANADAPOST",
            "2026-03-04T09:00:00-05:00",
        ),
        (
            "correios",
            {
                "codigo": "N1",
                "eventos": [{"data": "04/03/2026", "hora": "09:00", "status": "Objeto entregue ao destinatário"}],
            },
            "CORREIOS",
            "2026-03-04T09:00:00-03:00",
        ),
        (
            "postnl",
            {
                "Shipment": {
                    "Barcode": "N1",
                    "OldStatus": [
                        {
                            "TimeStamp": "04-03-2026 09:00:00",
                            "StatusCode": "11",
                            "StatusDescription": "Zending afgeleverd",
                        }
                    ],
                }
            },
            "POSTNL",
            "2026-03-04T09:00:00+01:00",
        ),
    ],
)
def test_answers_of_national_posts_are_read(run: Run, name: str, document: Any, carrier: str, time: str) -> None:
    events, report = run(name, document)
    assert (told(events), report.problems) == ([("N1", time, "delivered")], [])
    assert events[0]["carrier"] == carrier


def test_the_format_in_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "adapters.md").read_text(encoding="utf-8")
    found = from_toml("acme", page.partition("```toml\n")[2].partition("```")[0])
    assert (found.tz, found.carrier, found.day_first) == ("Europe/Dublin", "ACME", True)


NESTED_XML = (
    "<Answer><Info><TrackingNumber>T1</TrackingNumber><TrackingEventHistory>{}</TrackingEventHistory></Info></Answer>"
)
ENTRY_XML = (
    "<TrackingEventDetail><EventCode>E1</EventCode><EventCodeDesc>{}</EventCodeDesc><EventDateTime>{}</EventDateTime>"
    "<EventLocation><City>Omaha</City><StateProvince>NE</StateProvince></EventLocation></TrackingEventDetail>"
)
PIN_XML = (
    "<Body><Information><PIN><Value>T1</Value></PIN><Scans>"
    "<Scan><PIN><Value>T1</Value></PIN><Depot><Name>Omaha</Name></Depot><ScanDate>2024-03-06</ScanDate>"
    "<ScanTime>164300</ScanTime><Description>On vehicle for delivery</Description></Scan>"
    "<Scan><PIN><Value>T1</Value></PIN><Depot><Name>Omaha</Name></Depot><ScanDate>2024-03-05</ScanDate>"
    "<ScanTime>081900</ScanTime><Description>Arrived at sort facility</Description></Scan>"
    "</Scans></Information></Body>"
)
RESULT_XML = (
    "<Results><Pair><Key>T1</Key><Value><Result><WaybillNumber>T1</WaybillNumber><UpdateCode>S1</UpdateCode>"
    "<UpdateDescription>Out for delivery</UpdateDescription><UpdateDateTime>2024-03-06T16:43:00</UpdateDateTime>"
    "<UpdateLocation>Omaha</UpdateLocation></Result></Value></Pair></Results>"
)
SERVER_TIMES = [
    {
        "TrackingNumber": "T1",
        "TrackingEventHistory": [
            {
                "EventCodeDesc": "Out for delivery",
                "serverDate": "3/26/2024",
                "serverTime": "4:43 PM",
                "ELCity": "Omaha",
            },
        ],
    }
]


@pytest.mark.parametrize(
    ("document", "last"),
    [
        (
            NESTED_XML.format(
                ENTRY_XML.format("Out for delivery", "2024-03-06T16:43:00Z")
                + ENTRY_XML.format("Arrived at sort facility", "2024-03-05T08:19:00Z")
            ),
            "2024-03-06T16:43:00+00:00",
        ),
        (NESTED_XML.format(ENTRY_XML.format("Out for delivery", "2024-03-06T16:43:00Z")), "2024-03-06T16:43:00+00:00"),
        (PIN_XML, "2024-03-06T16:43:00+00:00"),
        (RESULT_XML, "2024-03-06T16:43:00+00:00"),
        (SERVER_TIMES, "2024-03-26T16:43:00+00:00"),
    ],
)
def test_lists_inside_a_wrapper_and_names_of_code_descriptions_are_usual(run: Run, document: Any, last: str) -> None:
    events, report = run("any", document, name="answer.xml" if isinstance(document, str) else "a.json", carrier="ACME")
    assert told(events)[-1] == ("T1", last, "out_for_delivery")
    assert not report.problems
    if document is not SERVER_TIMES:
        assert events[-1]["facility"] == "Omaha"


def test_a_sentence_cut_before_its_name_says_nothing_against_a_code(run: Run, tmp_path: Path) -> None:
    described = tmp_path / "fjord.toml"
    described.write_text(DESCRIBED)
    legs = [
        {"dag": "05.03.2024", "klokke": "10:00", "k": "UT", "hva": "Shipment delivered to"},
        {"dag": "05.03.2024", "klokke": "11:00", "k": "UT", "hva": "Shipment delivered to the depot"},
        {"dag": "05.03.2024", "klokke": "12:00", "k": "??", "hva": "Shipment delivered to"},
    ]
    events, report = run(str(described), {"ref": "T1", "trip": {"leg": legs}})
    assert [event["status"] for event in events] == ["delivered", "arrived", "in_transit"]
    assert report.disagreements.total() == 1


def test_words_of_scans_in_an_unknown_place_are_no_refusal(run: Run) -> None:
    scans = [{"Wann": f"2024-03-0{day}", "Description": "Parcel delivered"} for day in (1, 2)]
    _, report = run("any", {"Ablauf": {"Zeilen": scans}})
    assert "it has Ablauf.Zeilen[] with Wann, Description" in report.problems[0].what
    assert not report.refusals
    _, report = run("any", {"errors": [{"message": "no such parcel"}, {"message": "again"}]})
    assert report.refusals == ["no such parcel"]


@pytest.mark.parametrize(
    ("letters", "offset"),
    [("EST", "-04:00"), ("MST", "-06:00"), ("PST", "-07:00"), ("CST", "-05:00"), ("CSTNO", "-06:00"), ("??", "-04:00")],
)
def test_a_scan_of_canada_post_is_in_the_zone_of_its_region(run: Run, letters: str, offset: str) -> None:
    answer = (
        "<tracking-detail><pin>N1</pin><significant-events><occurrence><event-identifier>0174</event-identifier>"
        f"<event-date>2024-07-23</event-date><event-time>08:38:06</event-time><event-time-zone>{letters}</event-time-zone>"
        "<event-description>Item out for delivery</event-description></occurrence></significant-events>"
        "</tracking-detail>"
    )
    events, _ = run("canadapost", answer, name="answer.xml")
    assert told(events) == [("N1", f"2024-07-23T08:38:06{offset}", "out_for_delivery")]


def test_a_described_format_names_zones_and_a_mistake_in_them_is_said(run: Run, tmp_path: Path) -> None:
    described = tmp_path / "fjord.toml"
    described.write_text(
        DESCRIBED.replace('time = "dag+klokke"', 'time = "dag+klokke"\nzone = "z"') + '[zones]\nVEST = "UTC"\n'
    )
    leg = {"dag": "05.03.2024", "klokke": "10:00", "z": "VEST", "k": "UT", "hva": "Levert"}
    events, _ = run(str(described), {"ref": "T1", "trip": {"leg": [leg]}})
    assert told(events) == [("T1", "2024-03-05T10:00:00+00:00", "delivered")]
    with pytest.raises(ValueError, match="unknown time zone"):
        from_toml("fjord", DESCRIBED + '[zones]\nVEST = "Mars/Base"\n')
    with pytest.raises(ValueError, match="zones is a table"):
        from_toml("fjord", "zones = 3\n" + DESCRIBED)
