"""What the fuzzer begins with: samples of each kind, made by code of the project, and the words of its dictionary."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import msgspec

from schemas import examples
from schemas.events import CHATS, EVENTS, ORDERS, SCANS
from streams.alerts.cloudevents import AlertWriter
from streams.engine import assignor, envelopes, notes
from streams.engine.processor import Horizon
from streams.marketplace.market import Plan, market
from streams.policy import load
from streams.replay.packed import zstd
from tests.fuzz.adapt_doors import names
from tests.fuzz.pieces import joined
from tests.unit.adapt import shops
from tests.unit.alerts.samples import every_alert
from tests.unit.schemas.values import VALUES, fields, value
from tests.unit.stages.native_scraps import SCRAPS

#: What turns up in hostile input, as JSON.
ODD = (
    b"1e400",
    b"-1e400",
    b"1" * 400,
    b"1" * 5_000,
    b"NaN",
    b"Infinity",
    b"-0",
    b"[" * 40 + b"]" * 40,
    b'{"a":' * 30,
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\\u0000\\u001b[2J"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b'"' + b"x" * 2_000 + b'"',
    b"null",
    b"true",
    b'""',
    b'"0001-01-01T00:00:00Z"',
    b'"9999-12-31T23:59:59-14:00"',
    b'"2026-02-30T00:00:00Z"',
    b"9223372036854775808",
    b"18446744073709551616",
    b"1.7976931348623157e308",
)
XML = (
    b'<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;</a>',
    b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///dev/zero">]><a>&x;</a>',
    b"<a>" * 60 + b"</a>" * 60,
    b'<?xml version="1.0"?><Body><nu>1</nu><data><time>2026-03-04 18:10:00</time><context>x</context></data></Body>',
)


def _events(topic: str) -> Iterator[bytes]:
    for of, type_ in VALUES:
        if of == topic:
            whole = value(topic, type_)
            yield whole
            for odd in ODD[::3]:
                yield whole[:-1] + b',"platform":' + odd + b"}"
            yield whole[:-1] + b"," + whole[1:]
    yield from ODD


def _kinds() -> list[tuple[str, bytes]]:
    return [(topic, value(topic, type_)) for topic, type_ in VALUES]


def _records() -> Iterator[bytes]:
    topics = (ORDERS, SCANS, CHATS)
    for topic, whole in _kinds():
        for key in (b"A", b"C", b"X1", b"", b"\xff"):
            yield bytes([topics.index(topic)]) + joined(whole, key, b"trace=1&error-code=x&Failed-At=\xff")


def _lines() -> Iterator[bytes]:
    made = [(one.topic, one.encode()) for one in market(Plan(shops=1, orders_per_day=3, days=4, faults=0.3))]
    for start in range(0, min(len(made), 60), 6):
        yield b"".join(_line(*one) for one in made[start : start + 6])
    for topic, whole in _kinds():
        yield _line(topic, whole) + b"\n \n" + _line(topic, b"null") + _line("other", whole)
    for odd in ODD:
        yield _line(ORDERS, odd) + odd + b"\n" + _line(CHATS, value(CHATS, "chat.message", text="x")[:-1] + b"}")


def _line(topic: str, whole: bytes) -> bytes:
    return b'{"topic":"%s","value":%s}\n' % (topic.encode(), whole)


def _packed() -> Iterator[bytes]:
    for content in (b"", b"a\n" * 50, b"\0" * 100_000, _line(ORDERS, value(ORDERS, "order.paid")) * 20):
        yield b"\0" + gzip.compress(content, mtime=0) * 2
        yield b"\1" + zstd.compress(content)
        yield b"\1" + zstd.compress(content)[:-2]


def _put(holder: dict[str, Any], path: str, held: Any) -> None:
    """Puts something where a layout's path leads."""
    *outer, last = path.split("+")[0].removeprefix("utc:").removeprefix("^").rpartition(":")[2].split(".")
    for name in outer:
        plain = name.partition("[")[0]
        inner = holder.setdefault(plain, [{}] if "[" in name else {})
        holder = inner[0] if isinstance(inner, list) else inner
        if not isinstance(holder, dict):
            return
    holder.setdefault(last.partition("[")[0], held)


def _first(table: Mapping[str, Any], name: str) -> str:
    given = table.get(name, "")
    return str(given if isinstance(given, str) else given[0])


def _scans_of(layout: Mapping[str, Any], code: str) -> dict[str, Any]:
    """A parcel with one scan, as a layout wants it."""
    scan: dict[str, Any] = {}
    told = {
        "time": "2026-03-04 18:10:00",
        "codes": code,
        "text": "【杭州转运中心】已发出, 派件人: 王五",
        "location": "杭州",
        "area": "浙江,杭州",
        "scan_number": "T1",
        "scan_carrier": "ZTO",
        "zone": "+08:00",
    }
    for name, held in told.items():
        if path := _first(layout, name):
            _put(scan, path, held)
    for path in _first(layout, "bare").split("|")[:1]:
        if path:
            _put(scan, path, "2026-03-04 18:10:00")
    parcel: dict[str, Any] = {}
    for name, held in {"number": "T1", "carrier": "ZTO", "state": code, "mark": "x", "refused": ""}.items():
        path = _first(layout, name)
        if path and path != "@key" and held:
            _put(parcel, path, held)
    scans = _first(layout, "scans") or _first(layout, "otherwise")
    if not scans:
        return scan
    _put(parcel, scans, [scan, scan])
    return {"T1": parcel} if _first(layout, "number") == "@key" else parcel


def bodies(name: str) -> Iterator[bytes]:
    """Bodies of a format: of scans by its layouts, of orders those of the tests."""
    text = resources.files("streams.adapt.formats").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)
    code = next(iter(raw.get("codes", {"1": ""})))
    for layout in raw.get("layout", ()):
        yield json.dumps(_scans_of(layout, code.rpartition("/")[2]), ensure_ascii=False).encode()
    own: dict[str, tuple[dict[str, Any], ...]] = {
        "taobao-orders": (shops.trade(), shops.refund()),
        "douyin-orders": (shops.douyin_order(), shops.after_sale()),
        "shopify": (shops.shopify_order(refunds=[shops.shopify_refund()]), shops.fulfillment()),
        "woocommerce": (shops.woo_order(refunds=[{"id": 5, "reason": "x"}]),),
    }
    for body in own.get(name, ()):
        yield json.dumps(body, ensure_ascii=False).encode()


def _wrapped(body: bytes) -> Iterator[bytes]:
    """A body in the wraps in which bodies come, and spoilt."""
    text = json.dumps(body.decode(), ensure_ascii=False)
    yield body
    yield b"INFO callback(" + body + b");\n" + body + b"\n"
    yield b'{"param":' + text.encode() + b"}"
    yield b"param=" + b"".join(b"%%%02X" % byte for byte in body) + b"&sign=x"
    yield body.replace(b'"', b"&quot;")
    yield body.decode().encode("gb18030", "replace")
    yield body.replace(b'"2026-03-04 18:10:00"', b"1e400")
    yield body.replace(b'"2026-03-04 18:10:00"', b"1" * 400)
    yield body.replace(b'"T1"', b'"\\u0000\\u001b\\ud800"')


def _bodies() -> Iterator[bytes]:
    for place, name in enumerate(names()):
        for body in bodies(name):
            for wrapped in _wrapped(body):
                yield bytes([place]) + wrapped
    for place in (names().index("any"), names().index("kuaidi100"), names().index("shopify")):
        for odd in (*ODD, *XML, b"PAR1", b"PK\x03\x04", b"%25" * 40 + b"7b", b'[["a"],\n' * 40, b'{"a\n' * 40):
            yield bytes([place]) + odd


def _pushes() -> Iterator[bytes]:
    # The same as bodies, of which a few tell how they are packed.
    for place, whole in enumerate(_bodies()):
        if place % 5 == 0:
            yield whole
        if place % 50 == 0:
            yield whole[:1] + gzip.compress(whole[1:], mtime=0)


def _tables() -> Iterator[bytes]:
    orders = [
        [
            "订单编号",
            "下单时间",
            "付款时间",
            "发货时间",
            "物流单号",
            "物流公司",
            "商品ID",
            "数量",
            "金额",
            "订单状态",
            "退款编号",
        ],
        ["No:1", "2026-03-02 09:00:00", "45000.5", "2026/3/3", "783,784", "中通", "6", "2", "39.8", "已完成", "R"],
    ]
    tickets = [
        ["工单编号", "创建时间", "工单类型", "回复时间", "店铺"],
        ["T1", "2026-03-02 09:00:00", "催发货", "", "s"],
    ]
    columns = b'[columns]\norder_id = "a"\ntracking_no = ["b", "c"]\nplaced_at = "d"\n'
    given = b'zone = "Asia/Shanghai"\n' + columns + b'[statuses]\n"x" = "completed"\n'
    for which, rows in enumerate((orders, tickets)):
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        yield bytes([which]) + text.getvalue().encode()
        yield bytes([which]) + text.getvalue().encode("gb18030")
        yield bytes([which]) + text.getvalue().replace(",", "\t").encode("utf-16")
        yield bytes([which]) + joined(text.getvalue().encode(), given)
        yield bytes([which]) + joined(b"a,b,c,d\n1,2,3,2026-03-02\n", given)
        yield bytes([which]) + json.dumps([dict(zip(*rows, strict=True))]).encode()


def _policies() -> Iterator[bytes]:
    for name in load.profiles():
        profile = resources.files("streams.policy") / "profiles" / f"{name}.toml"
        yield b"\0" + profile.read_bytes()[:6_000]
    for text in (
        b'extends = "default"\nname = "x"\n[orders]\nship_by_hours = 1e999\n',
        b"name = '\\u0000'\n",
        b"a = [" * 50,
    ):
        yield b"\0" + text
    for text in (b"extends: default\norders: {a: 1}\n", b"a: &a [1]\nb: *a\n", b"!!timestamp foo", b"? [a]\n: b\n",
                 b"[" * 50, b'"\\ud800": 1\n', b"a: !!binary x\n", b"a: 1\na: 2\n", b"<<: {a: 1}\n",
                 b"a: 0o9\nb: 1:99:99\n"):  # fmt: skip
        yield b"\1" + text


def _descriptions() -> Iterator[bytes]:
    for name in names():
        yield b"\0" + resources.files("streams.adapt.formats").joinpath(f"{name}.toml").read_bytes()[:6_000]
    for odd in (b"{}", b'{"version":1,"groups":[]}', b'{"version":99}', *ODD[:6]):
        yield b"\1" + odd


def _internal() -> Iterator[bytes]:
    told = {**examples.DEAD_LETTER_HEADERS, "source-topic": ORDERS}
    for partition, offset in (("0", "7"), ("-1", "1" * 30), ("9" * 11, " 1_0"), ("x", "9" * 5_000)):
        letter = "&".join(
            f"{name}={text}" for name, text in {**told, "source-partition": partition, "source-offset": offset}.items()
        ).encode()
        yield b"\0a=b&parcelwatch-redrives=1&" + letter
        yield b"\5\3" + joined(b"{}", b"k", b"trace=\xff&" + letter)
    for envelope in envelopes.pack(1, 2, Horizon(3), Horizon(4, True), "orders-0", [["a", 1], b"x"]):
        yield b"\1" + envelope
    note = notes.TaskNote(1, "m", 2, {"orders-0": notes.InputNote(1, 2, "")}, notes.WorkerNote({"a": "b"}))
    for text in (
        notes.write(note),
        "begin",
        "final:None",
        "catching-up:5:7",
        "catching-up:x",
        "catching-up:" + "9" * 5_000,
    ):
        yield b"\2" + text.encode()
    yield b"\3" + msgspec.msgpack.encode((assignor._VERSION, {"orders": {0: 5}}, {}, 1))
    for alert in every_alert():
        for record in AlertWriter("default@1", "marketplace").records(alert)[:1]:
            yield b"\4" + record.value
            yield b"\5\0" + joined(record.value, b"k")
    for place, name in ((1, "help-rates"), (2, "category-baselines")):
        yield b"\5" + bytes([place]) + joined(json.dumps(examples.TABLES[name]).encode(), b"k")
    yield b"\5\4" + joined(value(SCANS, "scan"), b"X1")


_OF = {
    ORDERS: lambda: _events(ORDERS),
    SCANS: lambda: _events(SCANS),
    CHATS: lambda: _events(CHATS),
    "record": _records,
    "lines": _lines,
    "packed": _packed,
    "body": _bodies,
    "push": _pushes,
    "table": _tables,
    "policy": _policies,
    "description": _descriptions,
    "internal": _internal,
}


def corpus(door: str) -> list[bytes]:
    """The inputs that a door begins with, each once."""
    return list(dict.fromkeys(_OF[door]()))


def dictionary() -> list[bytes]:
    """Words that the fuzzer puts into inputs: names of fields and kinds, and what is odd."""
    kinds = [kind for some in EVENTS.values() for kind in some]
    known = {name for kind in kinds for name in kind.__struct_fields__} | {
        str(kind.__struct_config__.tag) for kind in kinds
    }
    said = {str(held) for of, type_ in VALUES for held in fields(of, type_).values() if isinstance(held, str)}
    return sorted({f'"{word}"'.encode() for word in known | said} | {one for one in (*SCRAPS, *ODD) if len(one) <= 60})
