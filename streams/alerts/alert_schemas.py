"""A JSON Schema for each alert type: the general alert schema, narrowed to what alerts of that type can contain."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from schemas.generate import DRAFT, json_schema
from schemas.outputs import AlertEvent, Time
from schemas.times import HOUR, render
from streams.alerts import handbook
from streams.alerts.cloudevents import AlertWriter, type_of
from streams.alerts.messages import advice_on_kind
from streams.alerts.wording import catalogue
from streams.rules.alert import MERCHANT, RAISED, RESOLVED
from streams.rules.alert_types import ALERT_TYPES, AlertType
from streams.rules.evidence import RAISED_AT, Field
from streams.rules.reconcile import LATE_EVENT

_TIME = msgspec.json.schema(Time)
_TEXT = {"type": "string"}
_NULL = {"type": "null"}
_ID = {"type": "string", "minLength": 1}
_WRITER = AlertWriter("default@0123456789ab", "marketplace")


def schema_files() -> dict[str, bytes]:
    """The content of every schema file, by file name (`<type>.json`)."""
    return {f"{name}.json": _encoded(schema(type_)) for name, type_ in ALERT_TYPES.items()}


def schema(type_: AlertType) -> dict[str, Any]:
    """The schema of one type's alerts, raised and resolved; `x-...`: types that it supersedes or is superseded by."""
    whole = json_schema(AlertEvent)
    event, data = whole["$defs"]["AlertEvent"], whole["$defs"]["AlertData"]
    event["properties"]["type"] = {"const": type_of(type_.name)}
    properties = data["properties"]
    properties["severity"] = {"const": type_.severity}
    properties["audience"] = {"enum": list(type_.audiences)}
    properties["carrier"] = _ID if type_.about in ("shipment", "carrier") else _NULL
    properties["shop_id"] = _NULL if type_.about in ("carrier", "facility") else _ID
    properties["order_id"] = _NULL if type_.about in ("shop", "item", "carrier", "facility") else _ID
    if type_.about in ("ticket", "conversation"):
        properties["order_id"] = {"anyOf": [_ID, _NULL]}
    if type_.about == "shipment" and type_.audiences != (MERCHANT,):
        properties["shop_id"] = properties["order_id"] = {"anyOf": [_ID, _NULL]}
    whole["$defs"]["Advice"]["properties"]["code"] = {"enum": advice_codes(type_)}
    whole["$defs"]["Evidence"] = _object(type_.evidence)
    data["oneOf"] = _endings(type_)
    head = {"$schema": DRAFT, "$id": f"urn:parcelwatch:alerts:{type_.name}", "title": type_.name}
    others = {"x-supersedes": list(type_.supersedes), "x-superseded-by": list(type_.superseded_by)}
    return {**head, "description": type_.meaning, **others, **whole, "examples": examples(type_)}


def examples(type_: AlertType) -> list[dict[str, Any]]:
    """Events of the type, to its first audience: raised and, if it can be, resolved."""
    raised = handbook.example(type_)
    alerts = [raised]
    for code in list(type_.resolutions)[:1]:
        given = {} if code == LATE_EVENT else raised.evidence
        evidence = {**given, RAISED_AT.name: render(raised.time)}
        alerts.append(raised._replace(status=RESOLVED, time=raised.time + HOUR, resolution=code, evidence=evidence))
    return [orjson.loads(_WRITER.records(alert)[0].value) for alert in alerts]


def advice_codes(type_: AlertType) -> list[str]:
    """All advice codes that an alert of the type can carry, raised or resolved."""
    words = catalogue()
    raised = words.alerts[type_.name].raised
    found = list(raised.advice)
    if raised.advice_by == "causes":
        found += _codes(type_, "causes")
    elif raised.advice_by == "kind":
        found += [advice_on_kind(kind) for kind in _codes(type_, "kind")]
    for code in type_.resolutions:
        found += words.resolved[type_.family][code].advice
    return list(dict.fromkeys(found))


def _codes(type_: AlertType, name: str) -> tuple[str, ...]:
    return next(field.codes for field in type_.evidence if field.name == name)


def _endings(type_: AlertType) -> list[dict[str, Any]]:
    """The constraints for raised, for resolved, and for disproved alerts."""
    evidence = {"$ref": "#/$defs/Evidence"}
    raised_at = _object((RAISED_AT,))
    found: list[dict[str, Any]] = [{"status": {"const": RAISED}, "resolution": _NULL, "evidence": evidence}]
    ends = [code for code in type_.resolutions if code != LATE_EVENT]
    if ends:
        ended = {"allOf": [evidence, raised_at]}
        found.append({"status": {"const": RESOLVED}, "resolution": {"enum": ends}, "evidence": ended})
    if LATE_EVENT in type_.resolutions:
        found.append({"status": {"const": RESOLVED}, "resolution": {"const": LATE_EVENT}, "evidence": raised_at})
    return [{"properties": properties} for properties in found]


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.name: _described(field) for field in fields},
        "required": [field.name for field in fields if not field.optional],
    }


def _described(field: Field) -> dict[str, Any]:
    unit = f", in {field.unit}" if field.unit is not None else ""
    content = _content(field)
    if field.nullable:
        content = {"anyOf": [content, _NULL]}
    return {**content, "description": f"{field.meaning}{unit}"}


def _content(field: Field) -> dict[str, Any]:
    match field.kind:
        case "time":
            return _TIME
        case "text":
            return _TEXT
        case "code":
            return {"enum": list(field.codes)}
        case "count":
            return {"type": "integer", "minimum": 0}
        case "number":
            return {"type": "number"}
        case "texts":
            return {"type": "array", "items": _TEXT}
        case "codes":
            return {"type": "array", "items": {"enum": list(field.codes)}, "minItems": 1}
        case "object":
            return _object(field.parts[""])
        case "causes":
            kinds = [_cause(code, field.parts[code]) for code in field.codes]
            return {"type": "array", "items": {"oneOf": kinds}, "minItems": 1}


def _cause(code: str, parts: tuple[Field, ...]) -> dict[str, Any]:
    found = _object(parts)
    found["properties"] = {"code": {"const": code}, **found["properties"]}
    found["required"].insert(0, "code")
    return found


def _encoded(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
