"""The values of a sentence before rendering: as JSON for programs, or as text in the reader's language."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from schemas.times import HOUR, parse, render


class At(NamedTuple):
    """An instant, in microseconds since the epoch."""

    micros: int


class Span(NamedTuple):
    """A length of time, in microseconds."""

    micros: int


class Coded(NamedTuple):
    """A code that has a name in every language, in the group of names that it belongs to."""

    group: str
    code: str


class Share(NamedTuple):
    """A rate or a multiple of one, shown as a percentage; published with six digits, as the tables are."""

    value: float


Value: TypeAlias = "At | Span | Coded | Share | str | int | float | bool | list[str] | None"
Facts = dict[str, Value]


class Name(NamedTuple):
    """What a story, an event or an alert is about. `carrier`: of a shipment; None where it is not known."""

    kind: str
    id: str
    carrier: str | None = None


def at(micros: int | None) -> At | None:
    """An instant that may not be known, or lie past the end of the calendar: None then."""
    return None if micros is None or micros > _LAST else At(micros)


#: A promise may reach past the end of the calendar, in the reader's time zone or in UTC.
_LAST = parse("9999-12-30T00:00:00Z")


def plain(value: Value) -> Any:
    """The value as JSON has it: times as RFC 3339, lengths of time in hours, codes as they are."""
    if isinstance(value, At):
        return render(value.micros)
    if isinstance(value, Span):
        hours = value.micros / HOUR
        return int(hours) if hours == int(hours) else round(hours, 6)
    if isinstance(value, Coded):
        return value.code
    if isinstance(value, Share):
        return round(value.value, 6)
    return value


def plain_facts(facts: Facts) -> dict[str, Any]:
    """All of them as JSON."""
    return {name: plain(value) for name, value in facts.items()}
