"""What topics are called."""

from __future__ import annotations

import pytest

from schemas.topics import ALERTS, INPUTS, LONGEST_NAME, LONGEST_PREFIX, OUTPUTS, PLAIN, TopicNames


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


def test_what_is_named_has_its_name_whatever_the_prefix_and_the_rest_has_the_prefix() -> None:
    names = TopicNames.prefixed("eu.").named({"alerts.merchant": "shop-alerts", "help-rates": "rates"})
    assert (names["alerts.merchant"], names["help-rates"]) == ("shop-alerts", "rates")
    assert (names["alerts.platform"], names["orders"], names["orders.dlq"]) == (
        "eu.alerts.platform", "eu.orders", "eu.orders.dlq",
    )  # fmt: skip


def test_the_dead_letters_of_an_input_follow_its_name_unless_they_have_one() -> None:
    names = PLAIN.named({"orders": "shop.orders.v1", "chats": "talk", "chats.dlq": "talk-errors"})
    assert names.all(("orders.dlq", "chats.dlq", "logistics-scans.dlq")) == (
        "shop.orders.v1.dlq", "talk-errors", "logistics-scans.dlq",
    )  # fmt: skip


def test_two_topics_can_change_names() -> None:
    swapped = PLAIN.named({"orders": "chats", "chats": "orders"})
    assert swapped.all(("orders", "chats", "orders.dlq", "chats.dlq")) == ("chats", "orders", "chats.dlq", "orders.dlq")


@pytest.mark.parametrize("name", ["a", "A-1_x.y", "_a", "...", "a" * LONGEST_NAME])
def test_names_that_kafka_takes(name: str) -> None:
    assert PLAIN.named({"help-rates": name})["help-rates"] == name


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "é", "١", "a\n", "a" * (LONGEST_NAME + 1)])
def test_names_that_kafka_refuses(name: str) -> None:
    with pytest.raises(ValueError, match="help-rates: a topic's name is 1 to 249 letters, digits"):
        PLAIN.named({"help-rates": name})


def test_names_of_kafkas_own_topics_are_refused() -> None:
    with pytest.raises(ValueError, match="orders: names of topics that begin with __ are Kafka's own"):
        PLAIN.named({"orders": "__consumer_offsets"})


@pytest.mark.parametrize(
    ("length", "fits"), [(LONGEST_NAME - 5, True), (LONGEST_NAME - 4, True), (LONGEST_NAME - 3, False)]
)
def test_an_input_leaves_room_for_the_name_of_its_dead_letters(length: int, fits: bool) -> None:
    given = {"orders": "a" * length}
    if fits:
        assert len(PLAIN.named(given)["orders.dlq"]) == length + 4
    else:
        with pytest.raises(ValueError, match=r"orders\.dlq: a+\.\.\. has more than 249 characters: name it, too"):
            PLAIN.named(given)
    assert PLAIN.named({**given, "orders.dlq": "dead"})["orders.dlq"] == "dead"


@pytest.mark.parametrize("given", [
    {"orders": "a", "chats": "a"},
    {"orders": "chats"},
    {"help-rates": "orders.dlq"},
    {"orders": "a", "help-rates": "a.dlq"},
    # Kafka creates no topic whose name differs from that of another one in dots and underscores alone.
    {"orders": "a.b", "chats": "a_b"},
    {"help-rates": "alerts_merchant"},
])  # fmt: skip
def test_no_two_topics_have_one_name(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Kafka could not tell"):
        PLAIN.named(given)


@pytest.mark.parametrize("name", ["order", "Orders", "orders.dlq.dlq", "registrations", "parcelwatch-links", ""])
def test_only_inputs_and_outputs_are_named(name: str) -> None:
    with pytest.raises(
        ValueError, match=rf"{name}: no input or output[^;]*; there are orders, chats, logistics-scans, alerts"
    ):
        PLAIN.named({name: "a"})
