"""Turns data into HTML: templates, the words of a language, and how values are written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.times import parse, render
from streams.alerts.facts import percent
from streams.alerts.languages import LANGUAGES, Tag, Text
from streams.alerts.wording import catalogue
from streams.cli.terminal import harmless
from streams.explain.facts import Coded
from streams.explain.wording import Words
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.evidence import Field

#: Shares in an alert's evidence: shown as the message has them.
_SHARES = frozenset({"rate", "baseline", "delivered_after_all"})


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    labels: dict[str, Text]
    evidence: dict[str, Text]


@cache
def words() -> _Words:
    """The texts of the console itself, in every language."""
    return msgspec.toml.decode((resources.files("streams.console") / "words.toml").read_bytes(), type=_Words)


def _finalize(value: object) -> object:
    """Nothing that comes from a record steers how the page reads: no mark of direction, no control character."""
    return harmless(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


@cache
def environment() -> Environment:
    """The templates; every value is escaped, and one that is missing is an error."""
    made = Environment(
        loader=PackageLoader("streams.console"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["address"] = address
    return made


def address(path: str, query: Mapping[str, str] | None = None) -> str:
    """A path of this server with a query; the path's parts are quoted already (`part`)."""
    return f"{path}?{urlencode(query)}" if query else path


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


class Page:
    """Renders one page in one language. `theme`: light, dark, or empty for the reader's own setting."""

    def __init__(self, tag: Tag, theme: str = "") -> None:
        self.tag = tag
        self.theme = theme
        self._language = LANGUAGES[tag]
        self._words = Words(tag)

    def html(self, template: str, **values: Any) -> str:
        """The page as text."""
        language = self._language
        known: dict[str, Any] = {
            "tag": self.tag, "theme": self.theme, "languages": list(LANGUAGES), "t": self.label,
            "title_of": self.title, "minute": self.minute, "clock": self.clock, "stamp": self.stamp, "iso": render,
            "percent": percent,
            "duration": language.duration, "name_of": self.coded, "evidence": self.evidence, "part": part,
            "text_of": lambda texts: texts[self.tag], "called": self.called, "word": self._words.label,
        }  # fmt: skip
        return environment().get_template(template).render({**known, **values})

    def label(self, name: str, **facts: object) -> str:
        """A text of `words.toml`."""
        text = words().labels[name][self.tag]
        return text.format(**facts) if facts else text

    def title(self, type_: str) -> str:
        """What a type of alert is called; one that this version does not know, by its name."""
        known = catalogue().alerts.get(type_)
        return known.title[self.tag] if known is not None else type_

    def minute(self, micros: int) -> str:
        """An instant in the reader's zone, to the minute."""
        return self._language.local(micros)[:16]

    def clock(self, micros: int) -> str:
        """An instant in the reader's zone, to the second."""
        return self._language.local(micros)

    def stamp(self, text: str) -> str:
        """An RFC 3339 time in the reader's zone, to the second; what is none, as it is."""
        at = _instant(text)
        return text if at is None else self.clock(at)

    def coded(self, group: str, code: str | None) -> str:
        """The name of a code of the messages' or the explanations' vocabulary; the code where it has none."""
        return self._words.coded(Coded(group, code)) if code is not None else self.label("unknown")

    def evidence(self, alert: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """What an alert rests on: what each figure is called, its name in the record, and its value."""
        type_ = ALERT_TYPES.get(alert["type"])
        known = {field.name: field for field in type_.evidence} if type_ is not None else {}
        return [
            (self.called(name), name, self._value(known.get(name), name, value))
            for name, value in alert["data"]["evidence"].items()
        ]

    def called(self, name: str) -> str:
        """What a field of an alert's evidence, or of a table, is called."""
        text = words().evidence.get(name)
        return text[self.tag] if text is not None else name.replace("_", " ")

    def _value(self, field: Field | None, name: str, value: Any) -> str:
        if value is None:
            return self.label("unknown")
        if isinstance(value, list):
            return self._language.list.join(self._value(field, name, one) for one in value) or self.label("none")
        if isinstance(value, dict):
            head = [self.coded("causes", value["code"])] if "code" in value else []
            rest = [f"{self.called(key)} {self._value(None, key, one)}" for key, one in value.items() if key != "code"]
            return self._language.list.join(head + rest)
        if name in _SHARES:
            return percent(value) or str(value)
        if isinstance(value, str):
            if (field is None or field.kind == "time") and (at := _instant(value)) is not None:
                return self.minute(at)
            return self._named(field, name, value)
        return f"{value:g}" if isinstance(value, float) else str(value)

    def _named(self, field: Field | None, name: str, value: str) -> str:
        groups = {"last_status": "statuses", "status": "statuses", "ground": "grounds", "rights": "rights",
                  "request": "requests"}  # fmt: skip
        group = groups.get(name)
        if name == "kind":
            group = "refund_kinds" if value in catalogue().names.refund_kinds else "kinds"
        return self.coded(group, value) if group is not None and (field is None or field.codes) else value


def _instant(text: str) -> int | None:
    try:
        return parse(text)
    except ValueError:
        return None
