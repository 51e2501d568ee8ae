"""Renders `docs/alerts.md`, the page that describes every alert type, as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from schemas.times import parse
from streams.alerts.cloudevents import CONTENT_TYPE, type_of
from streams.alerts.languages import FALLBACK, LANGUAGES
from streams.alerts.messages import Messages
from streams.alerts.wording import catalogue
from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import ALERT_TYPES, AlertType
from streams.rules.evidence import RAISED_AT, Field
from streams.rules.reconcile import LATE_EVENT

#: What an alert's subject is, by what the alert is about, with an example.
_SUBJECTS = {
    "shipment": ("the tracking number; `carrier` is the other half of the name", "78300011112222"),
    "order": ("the order", "O-1"),
    "ticket": ("the ticket", "T-1"),
    "conversation": ("the conversation", "C-1"),
    "shop": ("the shop", "tea-house"),
    "item": ("the item", "I-1"),
    "carrier": ("the carrier", "ZTO"),
    "facility": ("the facility", "郑州转运中心"),
}
_KINDS = {
    "time": "time", "text": "text", "code": "code", "count": "whole number", "number": "number", "object": "object",
    "texts": "list of texts", "codes": "list of codes", "causes": "list of objects",
}  # fmt: skip

#: The page is written in FALLBACK; texts in other languages are quoted.
_OTHERS = [tag for tag in LANGUAGES if tag != FALLBACK]

_HEAD = """\
# Alerts

<!-- Written by `python -m streams.alerts.reference` from the registry and the message catalogue. Do not edit. -->

Every alert that there is: what it means, when it is raised and resolved, to whom it goes, what its evidence holds, what
it advises. Each links to a JSON Schema with all its codes. [rules.md](rules.md) explains the rules, and what names like
`orders.ship_by_hours` are: settings of [the policy](policy.md).

An alert is a CloudEvent on the topic `alerts.merchant` or `alerts.platform`, or on both, each with its own `id`. What
was `raised` is later `resolved` under the same `data.episode`, with its evidence as of then and `raised_at`. Where an
event that comes late shows that an alert should never have been raised, it is resolved with `late_event`, with the time
of the raise and with `raised_at` as its whole evidence. Times are UTC.

Records follow CloudEvents' Kafka protocol binding in structured mode: the value is the whole event as JSON, and the
header `content-type` is `{content_type}`. CloudEvents' SDKs read them as they are, and so
does any JSON parser. Ignore fields and types of alerts that you do not know: [later versions may add
some](compatibility.md).

## All of them

{table}

**Which says more.** One problem may have several alerts open at once: an order that is late was due soon before. An
alert *overtakes* those that say less about the same subject (for a parcel: and the same `carrier`). Who shows alerts to
people can fold them under it as long as it is open; the schema of a type names them as `x-supersedes` and
`x-superseded-by`. They are resolved by themselves, mostly together with it; a level of the help rate is resolved with
`escalated` as soon as a higher one is raised. `carrier.feed_silent` overtakes nothing: what falls due while it is open
is put off, so that there is nothing to fold.
"""


def page() -> str:
    """The whole page."""
    messages = Messages()
    sections = [_HEAD.format(table=_table(_overview()), content_type=CONTENT_TYPE)]
    sections += [_section(type_, messages) for type_ in ALERT_TYPES.values()]
    return "\n".join(sections)


def example(type_: AlertType) -> Alert:
    """An alert of the type, raised, with the examples of its evidence."""
    evidence = {field.name: field.example for field in type_.evidence if not field.optional}
    about = type_.about
    return Alert(
        type=type_.name,
        subject=_SUBJECTS[about][1],
        status=RAISED,
        time=parse(type_.example_time),
        audiences=type_.audiences,
        shop_id=None if about in ("carrier", "facility") else "tea-house",
        order_id="O-1" if about in ("shipment", "order", "ticket", "conversation") else None,
        carrier="ZTO" if about in ("shipment", "carrier") else None,
        episode="1",
        resolution=None,
        evidence=evidence,
    )


def _overview() -> Iterable[tuple[str, ...]]:
    yield "alert", "what it says", "about", "severity", "to", "overtaken by"
    for type_ in ALERT_TYPES.values():
        yield (
            f"[`{type_.name}`](#{_anchor(type_.name)})",
            catalogue().alerts[type_.name].title[FALLBACK],
            type_.about,
            type_.severity,
            " and ".join(type_.audiences),
            _names(type_.superseded_by),
        )


def _section(type_: AlertType, messages: Messages) -> str:
    title = catalogue().alerts[type_.name].title
    alert = example(type_)
    called = f"**{title[FALLBACK]}** ({', '.join(title[tag] for tag in _OTHERS)})"
    parts = [f"## `{type_.name}`\n", f"{called}. {type_.meaning}\n", _table(_facts(type_)), ""]
    parts += ["Evidence:\n", _table(_evidence(type_)), ""]
    parts += ["Advice when it is raised:\n", *_advice(type_, alert, messages), ""]
    parts += ["Example:\n"]
    wordings = messages.write(alert)
    for audience, wording in zip(type_.audiences, wordings, strict=True):
        parts += [f"- {tag}, to the {audience}: {wording.message[tag]}" for tag in (FALLBACK, *_OTHERS)]
    parts += ["", "```json", json.dumps(alert.evidence, ensure_ascii=False, indent=2), "```", ""]
    return "\n".join(parts)


def _facts(type_: AlertType) -> Iterable[tuple[str, ...]]:
    yield "", ""
    yield "type", f"`{type_of(type_.name)}`, [schema](../schemas/jsonschema/alerts/{type_.name}.json)"
    yield "subject", _SUBJECTS[type_.about][0]
    yield "severity, to", f"{type_.severity}, {' and '.join(type_.audiences)}"
    yield "raised", type_.raised
    yield "resolved", _resolved(type_)
    yield "decided in", f"[streams/rules/{type_.rule}.py](../streams/rules/{type_.rule}.py)"
    if type_.supersedes:
        yield "overtakes", _names(type_.supersedes)
    if type_.superseded_by:
        yield "overtaken by", _names(type_.superseded_by)


def _resolved(type_: AlertType) -> str:
    ends = [f"`{code}`: {one.meaning}" for code, one in type_.resolutions.items() if code != LATE_EVENT]
    if not ends:
        return "never" if LATE_EVENT not in type_.resolutions else "never, but for `late_event`"
    return "; ".join(ends) + ("; `late_event`" if LATE_EVENT in type_.resolutions else "")


def _evidence(type_: AlertType) -> Iterable[tuple[str, ...]]:
    yield "field", "kind", "meaning"
    for field in type_.evidence:
        yield from _rows(field)
    if type_.is_resolved_by_events:
        yield f"`{RAISED_AT.name}`", "time, once resolved", RAISED_AT.meaning


def _rows(field: Field, within: str = "") -> Iterable[tuple[str, ...]]:
    kind = (
        _KINDS[field.kind] + (" or null" if field.nullable else "") + (", where there is one" if field.optional else "")
    )
    meaning = field.meaning + (f", in {field.unit}" if field.unit is not None else "")
    if field.codes and field.kind != "causes":
        meaning += f": {_names(field.codes)}"
    yield f"`{within}{field.name}`", kind, meaning
    for code, parts in field.parts.items():
        for part in parts:
            where = f"{field.name}.{code}." if code else f"{field.name}."
            yield from _rows(part, where)


def _advice(type_: AlertType, alert: Alert, messages: Messages) -> Iterable[str]:
    for audience, wording in zip(type_.audiences, messages.write(_with_all(type_, alert)), strict=True):
        for piece in wording.advice:
            yield f"- `{piece['code']}`, to the {audience}: {piece[FALLBACK]}"


def _with_all(type_: AlertType, alert: Alert) -> Alert:
    """The alert with every possible cause, to collect the advice on each."""
    causes: list[dict[str, Any]] = []
    for field in type_.evidence:
        if field.kind == "causes":
            causes = [{"code": code, **{part.name: part.example for part in field.parts[code]}} for code in field.codes]
    return alert._replace(evidence={**alert.evidence, "causes": causes}) if causes else alert


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["|" + "|".join(f" {cell} " if cell else " " for cell in row) + "|" for row in rows]
    lines.insert(1, "|" + "---|" * (lines[0].count("|") - 1))
    return "\n".join(lines)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _anchor(name: str) -> str:
    """The anchor of a heading with this name."""
    return name.replace(".", "")
