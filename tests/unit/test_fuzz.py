"""The doors of the fuzzer hold of what it begins with; `make fuzz` goes on from there."""

from __future__ import annotations

import pytest
import structlog

from schemas.decode import Invalid, Reason
from tests.fuzz.corpus import corpus, dictionary
from tests.fuzz.letters import is_exact, told
from tests.fuzz.targets import DOORS, folder


@pytest.mark.parametrize("name", DOORS)
def test_a_door_holds_of_its_corpus(name: str) -> None:
    inputs = corpus(name)
    assert len(inputs) > 10
    with folder() as own, structlog.testing.capture_logs():
        door = DOORS[name](own)
        for data in inputs:
            door(data)


def test_a_letter_that_quotes_a_value_is_not_exact() -> None:
    told(Invalid(Reason.ILL_TYPED_FIELD, "items[3].quantity: Expected `int` >= 1"))
    with pytest.raises(AssertionError):
        told(Invalid(Reason.ILL_TYPED_FIELD, "items[3].quantity: Expected `int`, got `13812345678`"))
    assert not is_exact("fault", "ValueError")
    assert not is_exact(None, "")


def test_the_words_of_the_dictionary_are_short() -> None:
    assert all(0 < len(word) <= 130 for word in dictionary())
