"""Bodies as they are received, whatever they are wrapped in. All payloads are invented."""

from __future__ import annotations

import base64
import gzip
import html
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from streams.adapt.reading.bodies import opened

from .conftest import Run

PARCEL: dict[str, Any] = {
    "nu": "T1",
    "com": "zhongtong",
    "data": [
        {"time": "2024-03-05 13:00:00", "context": "快件到达【北郊转运中心】"},
        {"time": "2024-03-05 12:00:00", "context": "【城东网点】已揽收"},
    ],
}
BODY = json.dumps(PARCEL, ensure_ascii=False)
PRETTY = json.dumps(PARCEL, ensure_ascii=False, indent=2)
SECOND = json.dumps({**PARCEL, "nu": "T2"}, ensure_ascii=False)
STATUSES = ["picked_up", "arrived"]


@pytest.mark.parametrize(
    "content",
    [
        BODY,
        f"param={quote_plus(BODY)}&sign=0000",
        f"sign=0000&param={quote(BODY)}",
        f"param={BODY}&sign=0000",
        f"param={quote_plus(quote_plus(BODY))}",
        f"param={quote_plus(BODY.encode('gbk'))}",
        json.dumps({"code": 0, "result": BODY}),
        json.dumps({"code": 0, "result": json.dumps({"inner": BODY})}),
        json.dumps(BODY),
        f"callback({BODY});",
        f"/**/ jQuery123_456({PRETTY});\n",
        f"2024-03-05 13:00:01,123 INFO [main] push: {BODY} (200)",
        f"2024-03-05 13:00:01 [http-1] POST /push param={quote_plus(BODY)}&sign=1 HTTP/1.1",
        f'{{"level":"info","body":{json.dumps(BODY)}}}',
        f'level=info body="{BODY.replace(chr(34), chr(92) + chr(34))}"',
        f"[{BODY}]",
        json.dumps([f"callback({BODY});"]),
        json.dumps({"log": f"POST /push param={quote_plus(BODY)}&sign=1\n", "stream": "stdout"}),
        json.dumps({"message": {"data": base64.b64encode(BODY.encode()).decode()}}),
        html.escape(BODY),
        '"POST /push" "'
        + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02X}" for b in BODY.encode())
        + '"',
        'id,body\n1,"' + BODY.replace('"', '""') + '"\n',
        f"<r><return><![CDATA[<x><body>{BODY}</body></x>]]></return></r>",
        f"{BODY}\n{BODY}\n",
        f"{BODY}\r\n\r\n{BODY}\r\n",
        f"{BODY}{BODY}",
        f"{PRETTY}\n{PRETTY}",
        f"{PRETTY},\n{PRETTY}",
        f"\ufeff{PRETTY}",
        BODY.encode("gbk"),
        BODY.encode("utf-16"),
        b"\xef\xbb\xbf" + BODY.encode(),
        gzip.compress(BODY.encode("gbk")),
        gzip.compress(f"param={quote_plus(BODY)}".encode()),
        f'--x\nContent-Disposition: form-data; name="param"\n\n{BODY}\n--x--',
    ],
)
def test_a_body_is_found_whatever_it_is_wrapped_in(run: Run, content: str | bytes) -> None:
    events, _ = run("kuaidi100", content)
    assert [(event["tracking_no"], event["status"]) for event in events] == [("T1", status) for status in STATUSES]
    assert events[0]["facility"] == "城东网点"


def test_markup_in_a_text_is_no_document(run: Run) -> None:
    body = BODY.replace("【城东网点】已揽收", "<p class='x'>已签收</p>")
    events, _ = run("kuaidi100", body)
    assert {event["status"] for event in events} == {"arrived", "delivered"}


def test_each_line_of_a_log_is_a_body_of_its_own(run: Run) -> None:
    log = f"started\nparam={quote_plus(BODY)}&sign=1\n12:00 param={quote_plus(SECOND)}&sign=2\n"
    events, report = run("kuaidi100", log)
    assert {event["tracking_no"] for event in events} == {"T1", "T2"}
    assert [str(found).split(": ", 1)[1] for found in report.problems] == ["line 1: no JSON in it"]


def test_a_broken_body_is_one_problem_and_the_next_is_read(run: Run) -> None:
    events, report = run("kuaidi100", f"{PRETTY[:-30]}\n{SECOND}\n")
    assert {event["tracking_no"] for event in events} == {"T2"}
    assert len(report.problems) == 1
    assert report.problems[0].what.startswith("not JSON")


def test_what_follows_a_broken_body_in_its_line_is_no_document_of_its_own(run: Run) -> None:
    broken = BODY.replace('"com"', "com", 1)
    events, report = run("kuaidi100", broken, tracking_no="T9", carrier="ZTO")
    assert events == []
    assert len(report.problems) == 1


def test_a_broken_character_spoils_no_file(run: Run) -> None:
    events, _ = run("kuaidi100", BODY.encode().replace("揽收".encode(), b"\xe6\x8f" + "收".encode()))
    assert len(events) == 2


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\x00\x01\x02\x03", "is no text"),
        (b"PK\x03\x04rest", "is an Excel workbook or an archive: save it as CSV, or unpack it"),
        (b"PAR1broken", "broken Parquet"),
        ("<!DOCTYPE html><html></html>", "is a web page, no data"),
        ("<body><p>Not found</p></body>", "is a web page, no data"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', "XML with entities"),
        ("<Response><Body>", "not XML"),
        ("just words", "no JSON, XML or table in it"),
        ("nu,time,context\n", "is a header without rows"),
        (BODY[:-20], "not JSON: it is cut off"),
        ("{'nu': 'T1', 'data': None}", "is a Python dict, no JSON: write it with json.dumps"),
    ],
)
def test_what_cannot_be_read_is_one_line_that_says_what_it_is(run: Run, content: str | bytes, what: str) -> None:
    events, report = run("kuaidi100", content)
    assert (events, len(report.problems)) == ([], 1)
    assert report.problems[0].what.startswith(what)


def test_deep_nesting_is_a_problem_and_no_crash(run: Run) -> None:
    events, report = run("kuaidi100", "[" * 100_000 + "]" * 100_000)
    assert (events, len(report.problems)) == ([], 1)


def test_halves_of_surrogate_pairs_do_not_come_out() -> None:
    assert opened({"\ud800": ["a\udfff"]}) == {"?": ["a?"]}


XML = """<?xml version='1.0' encoding='{encoding}'?>
<Response service="RouteService"><Head>OK</Head><Body><RouteResponse mailno="SF1">
<Route remark="顺丰速运 已收取快件" accept_time="2024-03-05 12:00:00" accept_address="南山市" opcode="50"/>
<Route remark="已签收" accept_time="2024-03-05 13:00:00" accept_address="南山市" opcode="80"/>
</RouteResponse></Body></Response>"""


@pytest.mark.parametrize(
    "content",
    [
        XML.format(encoding="UTF-8"),
        XML.format(encoding="GBK").encode("gbk"),
        "push " + XML.format(encoding="UTF-8").replace("\n", ""),
        f"content={quote_plus(XML.format(encoding='UTF-8'))}",
        json.dumps({"xml": XML.format(encoding="UTF-8")}),
    ],
)
def test_xml_is_read_as_json_is(run: Run, content: str | bytes) -> None:
    events, report = run("sf-route", content)
    assert [(event["tracking_no"], event["status"]) for event in events] == [("SF1", "picked_up"), ("SF1", "delivered")]
    assert report.problems == []


ROWS = [
    ("T1", "UPS", "2024-01-12T15:42:07-05:00", "", "Departed from Facility", "Springfield"),
    ("T1", "UPS", "2024-01-14T09:10:00-05:00", "", 'DELIVERED, "front door"', "Shelbyville"),
]
HEADER = ("shipment", "carrier", "time", "status", "text", "location")


def delimited(mark: str, header: tuple[str, ...] = HEADER) -> str:
    order = [HEADER.index(name.lower()) for name in header]
    rows = [[f'"{row[index].replace(chr(34), chr(34) * 2)}"' for index in order] for row in ROWS]
    return "\n".join([mark.join(header), *(mark.join(row) for row in rows)]) + "\n"


@pytest.mark.parametrize(
    "content",
    [
        delimited(","),
        delimited(";"),
        delimited("\t"),
        delimited("|"),
        "\ufeff" + delimited(","),
        "sep=;\n" + delimited(";"),
        delimited(",", ("Location", "TEXT", "Time", "status", "Carrier", "Shipment")),
        delimited(",").replace("\n", "\r\n"),
        delimited(";").encode("utf-16"),
    ],
)
def test_rows_are_read_by_their_header_whatever_the_delimiter_order_and_case(run: Run, content: str | bytes) -> None:
    events, report = run("history", content)
    assert [(event["status"], event["facility"]) for event in events] == [
        ("departed", "Springfield"),
        ("delivered", "Shelbyville"),
    ]
    assert report.problems == []


def test_a_row_over_two_lines_is_one_row_and_a_bad_one_is_told_by_its_line(run: Run) -> None:
    table = 'shipment,carrier,time,text\nT1,UPS,2024-01-12,"Departed\nfrom facility"\nT1,UPS,whenever,Arrived\n'
    events, report = run("history", table)
    assert [event["status"] for event in events] == ["departed"]
    assert [(found.where, found.what) for found in report.problems] == [("line 4", "no time: 'whenever'")]


@pytest.mark.parametrize("time", ["45303.65425", "2024-01-12 15:42:07", "12 Jan 2024 15:42:07", "1/13/2024 15:42:07"])
def test_times_as_spreadsheets_write_them_are_read(run: Run, time: str) -> None:
    events, _ = run("history", f"shipment,carrier,time,text\nT1,UPS,{time},Arrived\n")
    assert events[0]["occurred_at"][:4] + events[0]["occurred_at"][10:19] == "2024T15:42:07"


@pytest.mark.parametrize(
    "header", ["shipment,carrier,time,status", "Tracking No,Carrier,Occurred At,Status", "运单号,快递公司,时间,状态"]
)
def test_columns_may_have_other_usual_names_and_a_status_may_be_ours(run: Run, header: str) -> None:
    events, report = run("history", f"{header}\nT1,中通,13.01.2024 15:42,picked_up\n")
    assert [(event["carrier"], event["status"], event["occurred_at"][:10]) for event in events] == [
        ("ZTO", "picked_up", "2024-01-13")
    ]
    assert report.problems == []


def test_parquet_is_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({name: [row[index] for row in ROWS] for index, name in enumerate(HEADER)}), path)
    events, report = run("history", path.read_bytes())
    assert [event["status"] for event in events] == ["departed", "delivered"]
    assert report.problems == []
