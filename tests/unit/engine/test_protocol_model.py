"""The protocol of a task, in every order of its steps: nothing is lost, doubled or out of order, and it ends."""

from __future__ import annotations

import pytest

from tests.model.bounds import CHECKED, SHOWS
from tests.model.checker import check
from tests.model.protocol import MUTATIONS, Model


@pytest.mark.parametrize("name", CHECKED)
def test_every_state_is_right_and_leads_to_the_end(name: str) -> None:
    found = check(Model(CHECKED[name]))
    assert not found.wrong, "\n".join([found.wrong, *found.way])
    assert found.states > 500


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_mutation_is_found_wrong(mutation: str) -> None:
    assert check(Model(CHECKED[SHOWS[mutation]], mutation)).wrong
