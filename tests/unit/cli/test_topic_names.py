"""`--topics`: the names of inputs and outputs one by one, on the command line, in the environment, in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from schemas.topics import PLAIN, TopicNames
from streams.cli import main
from streams.cli.main import command_of
from streams.engine.errors import FatalError
from streams.topics import command as topics_command
from tests.unit.cli import run

GIVEN = "orders=shop.orders.v1,alerts.merchant=shop.alerts"
NAMES = PLAIN.named({"orders": "shop.orders.v1", "alerts.merchant": "shop.alerts"})
FILES = {
    "good.toml": '[topics]\norders = "shop.orders.v1"\n"alerts.merchant" = "shop.alerts"\n',
    "unquoted.toml": '[topics]\norders = "shop.orders.v1"\nalerts.merchant = "shop.alerts"\n',
    "nested.toml": '[topics]\norders = "shop.orders.v1"\n[topics.alerts]\nmerchant = "shop.alerts"\n',
    "both.toml": '[topics]\norders = "a"\norders.dlq = "b"\n',
    "no-table.toml": 'orders = "a"\n',
    "more.toml": '[topics]\norders = "a"\n[orders]\nship_by_hours = 3\n',
    "number.toml": "[topics]\norders = 3\n",
    "list.toml": '[topics]\norders = ["a"]\n',
    "twice.toml": '[topics]\norders = "a"\norders = "b"\n',
    "no.toml": "[topics",
    "policy.toml": 'extends = "default"\nname = "x"\n[topics]\norders = "a"\n',
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings that `parcelwatch topics` goes to the brokers with."""
    found: list[Any] = []

    def keep(_bootstrap: str, settings: Any, *_: Any) -> Any:
        found.append(settings)
        raise FatalError("far enough")

    monkeypatch.setattr(topics_command, "ensure", keep)
    return found


def names_of(settings: list[Any], *options: str, variables: Mapping[str, str] | None = None) -> TopicNames:
    CliRunner().invoke(command_of("topics"), options, env=variables)
    (found,) = settings
    names: TopicNames = found.topics
    inputs = {item.name: item.topic for kind in found.dataflow.kinds for item in kind.inputs}
    assert inputs == {name: names[name] for name in inputs}
    return names


@pytest.mark.parametrize("given", [GIVEN, GIVEN.replace(",", " ,\n "), "good.toml", "unquoted.toml", "nested.toml"])
def test_names_are_given_in_a_list_or_a_file(given: str, settings: list[Any]) -> None:
    assert names_of(settings, "--topics", given) == NAMES


@pytest.mark.parametrize("given", [GIVEN, "good.toml"])
def test_names_are_given_by_the_environment(given: str, settings: list[Any]) -> None:
    assert names_of(settings, variables={"PARCELWATCH_TOPICS": given}) == NAMES


def test_an_empty_variable_names_nothing(settings: list[Any]) -> None:
    assert names_of(settings, variables={"PARCELWATCH_TOPICS": ""}) == PLAIN


def test_the_prefix_is_for_the_others(settings: list[Any]) -> None:
    names = names_of(settings, "--topics", GIVEN, "--topic-prefix", "eu.")
    assert names.all(("orders", "orders.dlq", "chats", "alerts.merchant", "alerts.platform")) == (
        "shop.orders.v1", "shop.orders.v1.dlq", "eu.chats", "shop.alerts", "eu.alerts.platform",
    )  # fmt: skip


@pytest.mark.parametrize("command", [
    name for name in main.COMMANDS if any("--broker" in option.opts for option in command_of(name).params)
])  # fmt: skip
def test_every_command_that_connects_takes_names(command: str) -> None:
    options = {option for each in command_of(command).params for option in each.opts}
    assert {"--topics", "--topic-prefix"} <= options


@pytest.mark.parametrize(("options", "said"), [
    (("--topics", "order=a"), "'--topics': order: no input or output (did you mean orders?); there are orders, chats"),
    (("--topics", "links=a"), "'--topics': links: no input or output"),
    (("--topics", "orders"), "'--topics': orders: cannot be read: No such file or directory"),
    (("--topics", ""), "neither NAME=TOPIC,... nor a file"),
    (("--topics", "orders=a,"), "neither NAME=TOPIC,... nor a file"),
    (("--topics", "=a"), "neither NAME=TOPIC,... nor a file"),
    (("--topics", "orders=a,orders=b"), "orders is named twice"),
    (("--topics", "orders="), "orders: a topic's name is 1 to 249"),
    (("--topics", "orders=a b"), "orders: a topic's name is 1 to 249"),
    (("--topics", "orders=a=b"), "orders: a topic's name is 1 to 249"),
    (("--topics", "orders=" + "a" * 250), "orders: a topic's name is 1 to 249"),
    (("--topics", "orders=a,chats=a"), "chats and orders: Kafka could not tell a from a"),
    (("--topics", "orders=eu.chats", "--topic-prefix", "eu."), "chats and orders: Kafka could not tell"),
    (("--topics", "both.toml"), "both.toml: not TOML: Cannot overwrite a value"),
    (("--topics", "both.toml"), 'a name with a dot stands in quotes: "orders.dlq"'),
    (("--topics", "no-table.toml"), "no-table.toml: needs the table [topics], and nothing else"),
    (("--topics", "more.toml"), "more.toml: needs the table [topics], and nothing else"),
    (("--topics", "number.toml"), "number.toml: orders: a topic's name is a text"),
    (("--topics", "list.toml"), "list.toml: orders: a topic's name is a text"),
    (("--topics", "twice.toml"), "twice.toml: not TOML: Cannot overwrite a value"),
    (("--topics", "no.toml"), "no.toml: not TOML"),
    (("--topics", "."), ".: cannot be read: Is a directory"),
    (("--topics", "help-rates=parcelwatch-links"),
     "help-rates: parcelwatch-links: the internal topic parcelwatch-links of application parcelwatch is called so"),
    (("--topics", "orders=pw-orders-changelog", "--app-id", "pw"), "the internal topic pw-orders-changelog"),
    (("--topics", "orders=pw_1-orders-changelog", "--app-id", "pw.1"), "the internal topic pw.1-orders-changelog"),
    (("--topics", "chats=pw-muted-help-rates", "--app-id", "pw"), "the internal topic pw-muted-help-rates"),
    (("--topic-prefix", "pw-muted-", "--app-id", "pw"), "'--topic-prefix': alerts.merchant: pw-muted-alerts.merchant:"),
    (("--policy", "policy.toml"), "topics: names of topics are no policy; a file of their own: --topics FILE"),
])  # fmt: skip
def test_a_mistake_is_one_line_and_status_two(options: tuple[str, ...], said: str) -> None:
    ended = run("topics", "--broker", "kafka://127.0.0.1:1", *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_name_of_another_applications_internal_topic_is_no_matter_of_ours(settings: list[Any]) -> None:
    names = names_of(settings, "--topics", "orders=other-orders-changelog", "--app-id", "pw")
    assert names["orders"] == "other-orders-changelog"
