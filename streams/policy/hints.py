"""What is allowed in a policy and may still be a slip: categories are the marketplace's own, so any name is one."""

from __future__ import annotations

from difflib import get_close_matches

from streams.policy.load import default
from streams.policy.model import Policy


def hints(policy: Policy) -> list[str]:
    """One line for each category that is not known, and is spelled nearly like one that is."""
    known = {name for names in _categories(default()).values() for name in names}
    found = []
    for field, names in _categories(policy).items():
        for name in names:
            close = get_close_matches(name, known, 1, 0.8)
            if name not in known and close:
                found.append(f"{field}: {name!r} is new; is {close[0]!r} meant?")
    return found


def _categories(policy: Policy) -> dict[str, list[str]]:
    rules = policy.aftersales
    return {
        "aftersales.long_categories": list(rules.long_categories),
        "aftersales.no_reason_exempt": list(rules.no_reason_exempt),
        "aftersales.warranty_days": list(rules.warranty_days),
        "aftersales.slow_category_days": list(rules.slow_category_days),
    }
