"""Hints at values that a policy allows but that may be typing errors.

Categories are the marketplace's own, so any name is valid, and our table does not know every carrier.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from streams.carriers import code_of, near
from streams.policy.load import default
from streams.policy.model import Policy


def hints(policy: Policy) -> list[str]:
    """One line for each category whose name closely resembles a known one, and for each unknown carrier."""
    known = {name for names in _categories(default()).values() for name in names}
    found = []
    for field, names in _categories(policy).items():
        for name in names:
            close = get_close_matches(name, known, 1, 0.8)
            if name not in known and close:
                found.append(f"{field}: {name!r} is new; did you mean {close[0]!r}?")
    return found + list(_carriers(policy))


def _carriers(policy: Policy) -> Iterator[str]:
    for number, row in enumerate(policy.shipments.thresholds):
        if row.carrier is not None and code_of(row.carrier) is None:
            alike = near(row.carrier)
            asked = f"did you mean {' or '.join(alike)}?" if alike else "it holds for this spelling alone"
            yield f"shipments.thresholds[{number}].carrier: {row.carrier!r} is no carrier that is known; {asked}"


def _categories(policy: Policy) -> dict[str, list[str]]:
    rules = policy.aftersales
    return {
        "aftersales.long_categories": list(rules.long_categories),
        "aftersales.no_reason_exempt": list(rules.no_reason_exempt),
        "aftersales.warranty_days": list(rules.warranty_days),
        "aftersales.slow_category_days": list(rules.slow_category_days),
    }
