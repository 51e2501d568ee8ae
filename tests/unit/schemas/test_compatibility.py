"""What has been published stays true: producers and readers of every release get along with this one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from schemas import generate
from schemas.decode import decode
from schemas.topics import INPUTS
from streams.marketplace.market import Plan, market
from tests.unit.schemas.changes import lost, unheard_of
from tests.unit.schemas.values import VALUES, fields, value

PUBLISHED = Path(__file__).parent / "published"
FILES = sorted(path.relative_to(PUBLISHED).as_posix() for path in PUBLISHED.rglob("*.json"))

#: By published file, the places where this release differs all the same, and why. docs/compatibility.md tells of them.
TIMES = "only the schema: 0.1.0 refused such times, too, and said so in a format that validators need not check"
EXCEPTIONS: dict[str, dict[str, str]] = {
    "0.1.0/orders.json": {".occurred_at: pattern": TIMES, ".ship_by: pattern": TIMES},
    "0.1.0/chats.json": {".occurred_at: pattern": TIMES, ".respond_by: pattern": TIMES},
    "0.1.0/logistics-scans.json": {".occurred_at: pattern": TIMES},
}  # fmt: skip

#: Published schemas that nothing agreed with from the beginning.
WRONG = {"0.1.0/summary.json": "it described a file that no release has written; the present one describes the file"}


def published(file: str) -> Any:
    return json.loads((PUBLISHED / file).read_bytes())


def present(file: str) -> Any:
    return json.loads((generate.FOLDER / file.partition("/")[2]).read_bytes())


def compared(file: str, old: Any, new: Any) -> list[str]:
    return (lost if Path(file).stem in INPUTS else unheard_of)(old, new)


def test_there_is_something_published() -> None:
    assert {file.partition("/")[0] for file in FILES} == {"0.1.0"}
    assert len(FILES) == 10


@pytest.mark.parametrize("file", FILES)
def test_what_was_published_is_still_true_but_for_known_exceptions(file: str) -> None:
    found = compared(file, published(file), present(file))
    if file in WRONG:
        assert found
    else:
        assert found == sorted(EXCEPTIONS.get(file, {}))


@pytest.mark.parametrize("file", FILES)
def test_a_schema_agrees_with_itself(file: str) -> None:
    for schema in (published(file), present(file)):
        assert lost(schema, schema) == []


@pytest.mark.parametrize(
    "file", sorted(path.relative_to(generate.FOLDER).as_posix() for path in generate.FOLDER.rglob("*.json"))
)
def test_every_present_schema_can_be_compared(file: str) -> None:
    schema = json.loads((generate.FOLDER / file).read_bytes())
    assert lost(schema, schema) == []


ALERT, DATA = ("$defs", "AlertEvent"), ("$defs", "AlertData")
PAID, REQUESTED = ("$defs", "OrderPaid"), ("$defs", "RefundRequested")
Change = Callable[[Any], object]


def at(schema: Any, *path: str) -> Any:
    for name in path:
        schema = schema[name]
    return schema


#: What may be done to an output, and what may not.
OUTPUT: list[tuple[str, Change, list[str]]] = [
    ("a new field", lambda s: at(s, *DATA, "properties").update(region={"type": "string"}), []),
    ("a new field that is always there", lambda s: at(s, *DATA, "required").append("region"), []),
    ("fewer values", lambda s: at(s, *DATA, "properties", "severity", "enum").remove("info"), []),
    ("never null any more", lambda s: at(s, *DATA, "properties").update(shop_id={"type": "string"}), []),
    ("a field is gone", lambda s: at(s, *DATA, "required").remove("episode"), [".data.episode: required"]),
    ("a value more", lambda s: at(s, *DATA, "properties", "severity", "enum").append("x"), [".data.severity: values"]),
    ("any value", lambda s: at(s, *DATA, "properties").update(severity={"type": "string"}), [".data.severity: values"]),
    ("another type", lambda s: at(s, *DATA, "properties").update(episode={"type": "integer"}), [".data.episode: type"]),
    ("null", lambda s: at(s, *DATA, "properties").update(episode={"type": ["string", "null"]}),
     [".data.episode: type"]),
    ("null by a choice", lambda s: at(s, *DATA, "properties").update(
        episode={"anyOf": [{"type": "string"}, {"type": "null"}]}), [".data.episode: type"]),
    ("another pattern", lambda s: at(s, *ALERT, "properties", "type").update(pattern="^x"), [".type: pattern"]),
    ("an empty text", lambda s: at(s, *ALERT, "properties", "subject").pop("minLength"), [".subject: minLength"]),
    ("other items", lambda s: at(s, *DATA, "properties", "advice").update(items={"type": "string"}),
     [".data.advice[].code: required", ".data.advice[].en: required", ".data.advice[].zh-CN: required",
      ".data.advice[]: type"]),
]  # fmt: skip
#: And to an input.
INPUT: list[tuple[str, Change, list[str]]] = [
    ("a new optional field", lambda s: at(s, *PAID, "properties").update(channel={"type": "string"}), []),
    ("one more value", lambda s: at(s, *REQUESTED, "properties", "kind", "enum").append("gift"), []),
    ("longer ids", lambda s: at(s, *PAID, "properties", "order_id").update(maxLength=256), []),
    ("optional now", lambda s: at(s, *PAID, "required").remove("shop_id"), []),
    ("a new event", lambda s: s["anyOf"].append({"type": "object", "properties": {"type": {"enum": ["order.x"]}}}), []),
    ("a new field that must be there", lambda s: at(s, *PAID, "required").append("ship_by"), [".ship_by: required"]),
    ("a value less", lambda s: at(s, *REQUESTED, "properties", "kind", "enum").remove("reship"), [".kind: values"]),
    ("shorter ids", lambda s: at(s, *PAID, "properties", "order_id").update(maxLength=64), [".order_id: maxLength"]),
    ("null no more", lambda s: at(s, *PAID, "properties").update(ship_by={"type": "string"}), [".ship_by: type"]),
    ("an event less", lambda s: s["anyOf"].pop(0), [": no order.placed"]),
    ("a number has a bound", lambda s: at(s, "$defs", "Item", "properties", "quantity").update(maximum=9),
     [".items[].quantity: maximum"]),
    ("more of them", lambda s: at(s, "$defs", "Item", "properties", "quantity").update(minimum=2),
     [".items[].quantity: minimum"]),
    ("no other fields", lambda s: at(s, *PAID).update(additionalProperties=False), [": closed"]),
    ("a keyword that is not known here", lambda s: at(s, *PAID).update(minProperties=9), [": minProperties"]),
]  # fmt: skip
CHANGES = [
    *(pytest.param("alerts.json", *one, id=f"output: {one[0]}") for one in OUTPUT),
    *(pytest.param("orders.json", *one, id=f"input: {one[0]}") for one in INPUT),
]


@pytest.mark.parametrize(("file", "_what", "change", "found"), CHANGES)
def test_a_change_is_allowed_or_found(file: str, _what: str, change: Change, found: list[str]) -> None:
    old = present(f"now/{file}")
    new = copy.deepcopy(old)
    change(new)
    assert new != old
    assert compared(file, old, new) == sorted(found)


def test_what_producers_wrote_for_a_release_is_an_event() -> None:
    for file in FILES:
        topic = Path(file).stem
        if topic in INPUTS:
            check = Draft202012Validator(published(file))
            for name, type_ in VALUES:
                if name == topic:
                    assert check.is_valid(fields(topic, type_))
                    decode(topic, value(topic, type_))
            for record in market(Plan(days=2, orders_per_day=12, faults=0.0)):
                assert record.topic != topic or check.is_valid(record.value)
