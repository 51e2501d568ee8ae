"""The values that a message can mention, taken from an alert and rendered in the reader's language.

A fact is computed when a sentence first uses it. None means unknown or of an unexpected kind; the sentence then omits
that part. Times are truncated to the minute and given in the language's time zone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas import times
from streams.alerts.languages import LANGUAGES, Tag, Text
from streams.alerts.templates import Template
from streams.alerts.wording import Names
from streams.rules.alert import Alert


class Vocabulary:
    """The names of codes in one language."""

    def __init__(self, names: Names, tag: Tag) -> None:
        def pick(words: dict[str, Text]) -> dict[str, str]:
            return {code: text[tag] for code, text in words.items()}

        self.language = LANGUAGES[tag]
        self.unknown = names.unknown[tag]
        self.statuses = pick(names.statuses)
        self.kinds = pick(names.kinds)
        self.causes = pick(names.causes)
        self.refund_kinds = pick(names.refund_kinds)
        self.requests = pick(names.requests)
        self.grounds = pick(names.grounds)
        self.rights = pick(names.rights)
        self.phrases = {name: Template(text) for name, text in pick(names.phrases).items()}
        self._regions = names.regions[tag] if self.language.regions == "by_name" else {}

    def region(self, name: str) -> str:
        """A province in the reader's language; an unknown name is left as it is."""
        return next((known for written, known in self._regions.items() if name.startswith(written)), name)


class Facts(dict[str, "str | None"]):
    """The facts of one alert in one language, optionally with one of its causes; computed on demand."""

    __slots__ = ("alert", "cause", "title", "vocabulary")

    def __init__(self, alert: Alert, vocabulary: Vocabulary, title: str, cause: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.alert = alert
        self.vocabulary = vocabulary
        self.title = title
        self.cause = cause or {}

    def __missing__(self, name: str) -> str | None:
        resolve = _RESOLVERS.get(name)
        if resolve is not None:
            value = resolve(self)
        else:
            value = self.vocabulary.phrases[name].render(self, self.vocabulary.unknown)
        self[name] = value
        return value


def _clock(facts: Facts, instant: int) -> str:
    """A time on the readers' clock."""
    return facts.vocabulary.language.minute(instant)


def percent(share: object) -> str | None:
    """A share as a percentage with at most two decimals; None if it is not a number."""
    if isinstance(share, bool) or not isinstance(share, int | float):
        return None
    return f"{share * 100:.2f}".rstrip("0").rstrip(".") + "%"


def _instant(value: object) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        return times.parse(value)
    except ValueError:
        return None


def _at(facts: Facts, value: object) -> str | None:
    instant = _instant(value)
    return None if instant is None else _clock(facts, instant)


def _between(facts: Facts, start: int | None, end: int | None) -> str | None:
    if start is None or end is None or end < start:
        return None
    return facts.vocabulary.language.duration(end - start)


def _time(name: str) -> Callable[[Facts], str | None]:
    return lambda facts: _at(facts, facts.alert.evidence.get(name))


def _since(name: str) -> Callable[[Facts], str | None]:
    return lambda facts: _between(facts, _instant(facts.alert.evidence.get(name)), facts.alert.time)


def _until(facts: Facts) -> str | None:
    evidence = facts.alert.evidence
    return _between(facts, facts.alert.time, _instant(evidence.get("ship_by") or evidence.get("due_at")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(name: str) -> Callable[[Facts], str | None]:
    def resolve(facts: Facts) -> str | None:
        value = facts.alert.evidence.get(name)
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None

    return resolve


def _order(facts: Facts) -> str | None:
    """The order, and the number of orders that share the parcel if there are several."""
    order = facts.alert.order_id or _text(facts.alert.evidence.get("order_id"))
    together = facts.alert.evidence.get("order_ids")
    if order is None or not isinstance(together, list) or len(together) < 2:
        return order
    all_ = facts.alert.evidence.get("order_count", len(together))
    return facts.vocabulary.language.together.format(order=order, all=all_, others=all_ - 1)


def _multiple(facts: Facts) -> str | None:
    rate, baseline = facts.alert.evidence.get("rate"), facts.alert.evidence.get("baseline")
    if not isinstance(rate, int | float) or not isinstance(baseline, int | float) or baseline <= 0:
        return None
    return f"{rate / baseline:.1f}".removesuffix(".0")


def _all_escalations(facts: Facts) -> str | None:
    """The escalations by kind, if the policy counts all four kinds individually."""
    evidence = facts.alert.evidence
    kinds = [evidence.get(name) for name in ("disputes", "complaints", "interventions", "ticket_timeouts")]
    known = [kind for kind in kinds if isinstance(kind, int)]
    whole = len(known) == len(kinds) and sum(known) == evidence.get("escalations")
    return str(sum(known)) if whole else None


def _top_cause(facts: Facts) -> str | None:
    causes = facts.alert.evidence.get("causes")
    if not isinstance(causes, list) or not causes:
        return None
    return facts.vocabulary.causes.get(causes[0]["code"])


def _rights(facts: Facts) -> str | None:
    """The names of all rights in the evidence that are known by name."""
    codes = facts.alert.evidence.get("rights")
    names = [facts.vocabulary.rights[code] for code in codes or () if code in facts.vocabulary.rights]
    return facts.vocabulary.language.all.join(names) or None


def _half_by(facts: Facts) -> str | None:
    """When half of such parcels are delivered."""
    expected = facts.alert.evidence.get("expected_by")
    return _at(facts, expected.get("p50")) if isinstance(expected, dict) else None


def _parcels_at_risk(facts: Facts) -> str | None:
    parcels = facts.alert.evidence.get("parcels_at_risk")
    return facts.vocabulary.language.list.join(parcels) or None if isinstance(parcels, list) else None


def _cause_region(facts: Facts) -> str | None:
    region = _text(facts.cause.get("region"))
    return None if region is None else facts.vocabulary.region(region)


def _region(name: str) -> Callable[[Facts], str | None]:
    def region(facts: Facts) -> str | None:
        written = _text(facts.alert.evidence.get(name))
        return None if written is None else facts.vocabulary.region(written)

    return region


def _cause_silence(facts: Facts) -> str | None:
    hours = facts.cause.get("silent_hours")
    if isinstance(hours, bool) or not isinstance(hours, int | float):
        return None
    return facts.vocabulary.language.duration(int(hours * times.HOUR))


_RESOLVERS: dict[str, Callable[[Facts], str | None]] = {
    "title": lambda facts: facts.title,
    "subject": lambda facts: facts.alert.subject,
    "carrier": lambda facts: _text(facts.alert.carrier),
    "shop_id": lambda facts: _text(facts.alert.shop_id),
    "order_id": _order,
    "time": lambda facts: _clock(facts, facts.alert.time),
    **{
        name: _time(name)
        for name in (
            "last_update", "shipped_at", "raised_at", "paid_at", "ship_by", "opened_at", "due_at",
            "requested_at", "asked_at", "base_ends_at", "extension_ends_at", "silent_since", "deliver_by",
            "collected_at", "previous_end",
        )
    },
    "silent": _since("last_update"),
    "waited": _since("shipped_at"),
    "overdue": _since("ship_by"),
    "undelivered": _since("deliver_by"),
    "before_payment": lambda facts: _between(
        facts, _instant(facts.alert.evidence.get("collected_at")), _instant(facts.alert.evidence.get("paid_at"))
    ),
    "region": _region("region"),
    "destination": _region("destination"),
    "relief": lambda facts: _text(facts.alert.evidence.get("relief")),
    "time_left": _until,
    "facility": lambda facts: _text(facts.alert.evidence.get("facility")),
    "last_status": lambda facts: facts.vocabulary.statuses.get(facts.alert.evidence.get("last_status") or ""),
    "kind": lambda facts: facts.vocabulary.kinds.get(facts.alert.evidence.get("kind") or ""),
    "refund_kind": lambda facts: facts.vocabulary.refund_kinds.get(facts.alert.evidence.get("kind") or ""),
    "request": lambda facts: facts.vocabulary.requests.get(facts.alert.evidence.get("request") or ""),
    "ground": lambda facts: facts.vocabulary.grounds.get(facts.alert.evidence.get("ground") or ""),
    "rights": _rights,
    "top_cause": _top_cause,
    "cause_shipped_at": lambda facts: _at(facts, facts.cause.get("shipped_at")),
    "cause_status": lambda facts: facts.vocabulary.statuses.get(facts.cause.get("status") or ""),
    "cause_region": _cause_region,
    "cause_period": lambda facts: _text(facts.cause.get("period")),
    "cause_silence": _cause_silence,
    "half_by": _half_by,
    "delivered_after_all": lambda facts: percent(facts.alert.evidence.get("delivered_after_all")),
    "parcels_at_risk": _parcels_at_risk,
    "rate": lambda facts: percent(facts.alert.evidence.get("rate")),
    "baseline": lambda facts: percent(facts.alert.evidence.get("baseline")),
    "multiple": _multiple,
    "all_escalations": _all_escalations,
    "category_id": lambda facts: _text(facts.alert.evidence.get("category_id")),
    **{
        name: _number(name)
        for name in (
            "window_days", "orders", "escalations", "escalations_left",
            "disputes", "complaints", "interventions", "ticket_timeouts", "usual_scans", "stalls", "hours", "attempts",
        )
    },
}  # fmt: skip

#: Every value that a sentence may mention, in addition to the catalogue's phrases.
NAMES = frozenset(_RESOLVERS)
