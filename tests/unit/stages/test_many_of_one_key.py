"""What one evaluation of a large case looks at grows with its events, and not with their square."""

from __future__ import annotations

from typing import Any

import pytest

from bench import growth
from streams.rules.cases import lifetimes
from streams.rules.cases.case import Case

FLOODS = ["requests of a conversation", "voidings of one order", "refunds and tickets", "tickets of one order"]


@pytest.mark.parametrize("name", FLOODS)
def test_what_is_looked_at_grows_with_the_events(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = 0
    whole, all_of, end_of = Case.escalations, Case.escalations_of, lifetimes.end_of_order

    def escalations(case: Case) -> Any:
        nonlocal looked
        for each in whole.__get__(case):  # type: ignore[attr-defined]
            looked += 1
            yield each

    def escalations_of(case: Case, name: str) -> Any:
        nonlocal looked
        looked += 1
        return all_of(case, name)

    def end_of_order(case: Case, *rest: Any) -> int:
        nonlocal looked
        looked += len(case.refunds)
        return end_of(case, *rest)

    monkeypatch.setattr(Case, "escalations", property(escalations))
    monkeypatch.setattr(Case, "escalations_of", escalations_of)
    monkeypatch.setattr(lifetimes, "end_of_order", end_of_order)
    found = []
    for count in (200, 400):
        looked = 0
        growth.seconds(growth.FLOODS[name](count))
        found.append(looked)
    once, twice = found
    assert twice < 3 * once + 100
