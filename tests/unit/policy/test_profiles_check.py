"""All that is wrong with a policy is told at once: a line each, with the field, what is allowed and what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.policy import load


def told(folder: Path, text: str, name: str = "own.toml") -> list[str]:
    """The problems without the file's name; what is told first is what `load` refuses it for."""
    file = folder / name
    file.write_text(text if "extends" in text else f'extends = "default"\n{text}\n', "utf-8")
    found = load.problems(str(file))
    if found:
        with pytest.raises(load.BadPolicy) as refused:
            load.load(str(file))
        assert str(refused.value) == found[0]
    else:
        load.load(str(file))
    assert all("\n" not in line and line.startswith("policy ") for line in found)
    return [line.removeprefix(f"policy {file}: ") for line in found]


HOURS = (
    "expected a number of hours greater than 0 and at most 1,000,000, or a table of after_pickup, remote, near, "
    "cross_province, got "
)
TIERS = "{ after_pickup = 1, remote = 1, near = 1, cross_province = 1, nearby = 1 }"
PERIOD = '[[periods]]\nname = "{}"\nfirst = {}\nlast = "{}"\n'
ROW = "[[shipments.thresholds]]\n{}slow = {{ hours = {} }}\nstalled = {{ hours = {} }}\n"
LINES = [
    ("[orders]\nship_by = 48", "orders.ship_by: there is no such setting (did you mean ship_by_hours?); allowed: "),
    ("[order]\nx = 48", "order: there is no such setting (did you mean orders?); allowed: name, platform, lateness, "),
    ('[shipments]\nnot_collected = { hours = "72h" }', f"shipments.not_collected.hours: {HOURS}'72h' (a number has no"),
    ("[shipments]\nnot_collected = 24", "shipments.not_collected: expected a table of hours, strict, got 24"),
    (ROW.format("", TIERS, 9), "shipments.thresholds[0].slow.hours.nearby: there is no such setting (did you mean nea"),
    ('[help_rate]\nover = "shipped"', "help_rate.over: expected one of paid, placed, got 'shipped'"),
    ('[help_rate]\ncounted = ["refund"]', "help_rate.counted[0]: expected one of complaint, dispute, inter"),
    ('[help_rate]\ncounted = ["dispute", "dispute"]', "help_rate.counted: 'dispute' is named twice"),
    ('[help_rate]\ndistinct_orders = "yes"', "help_rate.distinct_orders: expected true or false, got 'yes'"),
    ("[help_rate]\nmin_orders = 2.5", "help_rate.min_orders: expected a whole number greater than 0 and at most"),
    ("[help_rate]\nelevated = 2", "help_rate: must be elevated < campaign_blocked < delisting_risk, got 2, 1.5 and 3"),
    ("[tickets]\ndue_soon_percent = 100", "tickets.due_soon_percent: expected a whole number of percent greater than"),
    ("[orders]\nship_by_hours = inf", "orders.ship_by_hours: expected a number of hours greater than 0 and at most"),
    ("[orders]\nship_by_hours = nan", "orders.ship_by_hours: expected a number of hours greater than 0 and at most"),
    ("[lateness]\nchats_seconds = 1000001", "lateness.chats_seconds: expected a number of seconds at least 0 and"),
    ('[aftersales.warranty_days]\ntoys = "60 d"', "aftersales.warranty_days.toys: expected a number of days at"),
    ('[aftersales.warranty_days]\n"" = 60', "aftersales.warranty_days: a name must be text that is not empty, got ''"),
    ("aftersales = []", "aftersales: expected a table of base_days, long_base_days, "),
    ('[aftersales]\nlong_categories = ["a", "a"]', "aftersales.long_categories: 'a' is named twice"),
    ('[conversations.reply_late]\nfrom = "8:00"', "conversations.reply_late.from: expected a time of day from 00"),
    (PERIOD.format("a", '"2026-03-02"', "2026-03-01"), "periods[0] (a): is empty: last, 2026-03-01, lies before"),
    (PERIOD.format("a", '"06-31"', "07-02"), "periods[0] (a): first: there is no day '06-31'"),
    (PERIOD.format("a", '"2026-02-28"', "2026-02-29"), "periods[0] (a): last: there is no day '2026-02-29'"),
    ("[feed_silence]\nhours = 25", "feed_silence.hours: must be at most 24"),
    (PERIOD.format("a", '"03-02"', "2026-03-01"), "periods[0] (a): first and last must both be MM-DD"),
    (PERIOD.format("a", "2026-03-02", "2026-03-01"), "periods[0].first: expected text, got 2026-03-02 (a text"),
    (PERIOD.format("a", '"03-01"', "03-02") * 2, "periods: the name 'a' is used twice"),
    (ROW.format('period = "b"\n', 8, 9) + ROW.format("", 8, 9), "shipments.thresholds[0].period: 'b' is none of"),
    (ROW.format("", 9, 9), "shipments.thresholds[0]: slow must be shorter than stalled, got 9 and 9 hours"),
    (ROW.format('carrier = "SF"\n', 8, 9), "shipments.thresholds: one row must have neither carrier nor period"),
    (ROW.format("", 8, 9) + ROW.format('carrier = "SF"\n', 7, 9), "shipments.thresholds[1]: never holds: ship"),
    ('[shipments]\nremote_regions = ["新疆", "新疆"]', "shipments.remote_regions: '新疆' is named twice"),
    ('[shipments]\nnear_groups = [["上海", "江苏"], ["上海"]]', "shipments.near_groups: '上海' is named twice"),
    ('extends = "tmall"', "extends: 'tmall': neither a profile (default, distinct-orders, taobao-experience"),
    ("extends = 5", "extends: must name another policy: a profile (default, "),
    ('sources = "mine"', "sources: must be a table of texts, by setting"),
    ('[sources]\n"shipments.thresholds[x].fst" = "x"', "sources: 'shipments.thresholds[x].fst' is no setting"),
    ('[sources]\n"shipments.thresholds[others" = "x"', "sources: 'shipments.thresholds[others' is no setting"),
    ('[sources]\n"help_rate.cuonted" = "x"', "sources: 'help_rate.cuonted' is no setting"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), LINES, ids=[line for _, line in LINES])
def test_a_mistake_is_one_line_that_says_where_and_what_is_allowed(tmp_path: Path, text: str, line: str) -> None:
    (found,) = told(tmp_path, text)
    assert found.startswith(line)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = """
        order = 5
        [help_rate]
        over = "shipped"
        hold = 2
        min_order = 4
        [aftersales.warranty_days]
        toys = "60 d"
        "" = 5
        books = -1
        [orders]
        ship_by_hours = "2 d"
        """
    fields = {line.partition(":")[0] for line in told(tmp_path, text)}
    assert fields == {
        "order", "help_rate.over", "help_rate.hold", "help_rate.min_order", "aftersales.warranty_days.toys",
        "aftersales.warranty_days", "aftersales.warranty_days.books", "orders.ship_by_hours",
    }  # fmt: skip


def test_contradictions_are_told_at_once_where_every_value_is_allowed(tmp_path: Path) -> None:
    text = "[help_rate]\nelevated = 9\n[aftersales]\nbase_days = 200\n"
    assert [line.partition(":")[0] for line in told(tmp_path, text)] == ["help_rate", "aftersales.long_base_days"]
    # Of a value that is not allowed nobody knows what it contradicts.
    assert [line.partition(":")[0] for line in told(tmp_path, f'name = ""\n{text}')] == ["name"]


def test_a_policy_of_nothing_but_mistakes_comes_to_an_end(tmp_path: Path) -> None:
    many = "\n".join(f"x{number} = 1" for number in range(200))
    assert len(told(tmp_path, many)) == 50
    assert told(tmp_path, 'name = "own"\nextends = "own.toml"\n')


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000, "a = " + "9" * 6000, "a = { b = " * 3000], ids=["deep list", "huge", "deep table"]
)
def test_what_no_reader_can_read_is_a_mistake_too(tmp_path: Path, text: str) -> None:
    for name in ("own.toml", "own.yaml"):
        assert len(told(tmp_path, text, name)) == 1


def test_odd_names_in_yaml_are_told(tmp_path: Path) -> None:
    for text in ("extends: default\n1: 2\n", "extends: default\n~: 2\n", "extends: default\norders: {1: 2}\n"):
        assert len(told(tmp_path, text, "own.yaml")) == 1


def test_a_parent_is_looked_for_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/base.toml").write_text('extends = "default"\nname = "base"\n')
    (tmp_path / "shared/mid.toml").write_text('extends = "base.toml"\n')
    (tmp_path / "own.toml").write_text('extends = "shared/mid.toml"\n')
    assert load.load(str(tmp_path / "own.toml")).name == "base"
    (tmp_path / "shared/base.toml").write_text('extends = "../own.toml"\n')
    (found,) = load.problems(str(tmp_path / "own.toml"))
    assert found.endswith("must name another policy, not in a circle")


def test_where_a_setting_comes_from_changes_no_version(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "default"\n[sources]\n"help_rate.hold" = "agreement"\n')
    assert load.load(str(own)).version == load.default().version
