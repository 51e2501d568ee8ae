"""What topics are called."""

from __future__ import annotations

import pytest

from schemas.topics import ALERTS, INPUTS, LONGEST_PREFIX, OUTPUTS, PLAIN, TopicNames


def test_without_a_prefix_every_topic_is_called_as_the_program_knows_it() -> None:
    assert TopicNames.prefixed("") == PLAIN
    assert PLAIN.all((*INPUTS, *OUTPUTS)) == (*INPUTS, *OUTPUTS)


def test_a_prefix_stands_before_inputs_outputs_and_dead_letters() -> None:
    names = TopicNames.prefixed("eu.")
    assert names.all(INPUTS) == ("eu.orders", "eu.chats", "eu.logistics-scans")
    assert names[ALERTS["merchant"]] == "eu.alerts.merchant"
    assert names["help-rates"] == "eu.help-rates"
    assert names.dead_letters("chats") == "eu.chats.dlq"


def test_one_name_can_be_another_one() -> None:
    names = PLAIN.renamed({"orders": "shop.orders"})
    assert (names["orders"], names["chats"], names.dead_letters("orders")) == ("shop.orders", "chats", "orders.dlq")


@pytest.mark.parametrize("prefix", ["", "a", "a" * LONGEST_PREFIX, "eu-1_x."])
def test_prefixes_that_kafka_takes(prefix: str) -> None:
    assert TopicNames.prefixed(prefix)["orders"] == f"{prefix}orders"


@pytest.mark.parametrize("prefix", ["a" * (LONGEST_PREFIX + 1), "a b", "a/", "é", "١"])
def test_prefixes_that_kafka_refuses(prefix: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        TopicNames.prefixed(prefix)
