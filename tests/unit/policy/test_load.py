"""Reading a policy: what is refused is refused in one line that names the field."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import msgspec
import pytest
import yaml

from streams.policy import load
from streams.policy.load import BadPolicy
from streams.policy.model import Policy


def refused(tmp_path: Path, text: str, name: str = "own.toml") -> str:
    """The line that says why the file is refused."""
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadPolicy) as caught:
        load.load(str(path))
    line = str(caught.value)
    assert "\n" not in line
    prefix = f"policy {path}: "
    assert line.startswith(prefix)
    return line.removeprefix(prefix)


def read(tmp_path: Path, text: str, name: str = "own.toml") -> Policy:
    path = tmp_path / name
    path.write_text(text)
    return load.load(str(path))


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('cooldown = "6h"', "cooldown"),
        ('quiet_hours = "22:00-08:00"', "quiet_hours"),
        ('cooldown = "6h"\nquiet_hours = "22:00-08:00"', "cooldown and quiet_hours"),
    ],
)
def test_what_the_notifier_does_is_no_setting_of_a_policy(tmp_path: Path, table: str, told: str) -> None:
    line = refused(tmp_path, f'extends = "default"\n[alerts]\n{table}\n')
    assert line == f"alerts: not a matter of rules: set {told} in the file of `parcelwatch notify`"


def test_another_setting_of_alerts_is_as_unknown_as_any(tmp_path: Path) -> None:
    assert refused(tmp_path, 'extends = "default"\n[alerts]\ncolour = "red"\n').startswith(
        "alerts: there is no such setting"
    )


THRESHOLDS = 'extends = "default"\n[[shipments.thresholds]]\n{}\n'
BAD = [
    ("orders.ship_by_hours", "[orders]\nship_by_hours = 0"),
    ("orders.ship_by_hours", "[orders]\nship_by_hours = -1"),
    ("orders.ship_by_hours", '[orders]\nship_by_hours = "48"'),
    ("orders.ship_by_hours", "[orders]\nship_by_hours = true"),
    ("orders.ship_by_hour", "[orders]\nship_by_hour = 48"),
    ("orders", "orders = 5"),
    ("order", "[order]\nship_by_hours = 48"),
    ("name", 'name = ""'),
    ("platform", "platform = 5"),
    ("lateness.orders_seconds", "[lateness]\norders_seconds = -1"),
    ("shipments.keep_days", "[shipments]\nkeep_days = 89.9"),
    ("shipments.given_up_days", "[shipments]\ngiven_up_days = 0"),
    ("shipments.late_registration", "[shipments]\nlate_registration = 24"),
    ("shipments.late_registration.days", "[shipments]\nlate_registration = { days = 1 }"),
    ("shipments.late_registration.hours", "[shipments]\nlate_registration = { hours = -1 }"),
    ("shipments.late_registration.hours", '[shipments]\nlate_registration = { hours = "24h" }'),
    ("shipments.late_registration.hours", "[shipments]\nlate_registration = { hours = 4321 }"),
    ("shipments.failed_attempts", "[shipments]\nfailed_attempts = 0"),
    ("shipments.failed_attempts", "[shipments]\nfailed_attempts = 2.5"),
    ("shipments.failed_attempts", "[shipments]\nfailed_attempts = { count = 2 }"),
    ("shipments.relief", "[shipments]\nrelief = 5"),
    ("suspicious", "suspicious = true"),
    ("suspicious.paid_slack", "[suspicious]\npaid_slack = 1"),
    ("suspicious.paid_slack.hours", "[suspicious]\npaid_slack = { hours = -1 }"),
    ("suspicious.paid_slack.days", "[suspicious]\npaid_slack = { days = 1 }"),
    ("suspicious.reuse.hours", "[suspicious]\nreuse = { hours = 5 }"),
    ("suspicious.reuse.days", "[suspicious]\nreuse = { days = true }"),
    ("suspicious.reuse.days", "[suspicious]\nreuse = { days = 181 }"),
    ("suspicious.reused", "[suspicious]\nreused = { days = 90 }"),
    ("shipments.not_collected.hours", "[shipments]\nnot_collected = { hours = 0 }"),
    ("shipments.not_collected.strict", '[shipments]\nnot_collected = { hours = 1, strict = "yes" }'),
    ("shipments.remote_regions", '[shipments]\nremote_regions = "新疆"'),
    ("shipments.remote_regions", '[shipments]\nremote_regions = [""]'),
    ("shipments.near_groups", '[shipments]\nnear_groups = ["北京"]'),
    ("shipments.thresholds", "[shipments]\nthresholds = []"),
    ("tickets.due_soon_percent", "[tickets]\ndue_soon_percent = 100"),
    ("tickets.due_soon_percent", "[tickets]\ndue_soon_percent = 0"),
    ("tickets.due_soon_percent", "[tickets]\ndue_soon_percent = 75.5"),
    ("help_rate.counted", "[help_rate]\ncounted = []"),
    ("help_rate.counted", '[help_rate]\ncounted = ["refund"]'),
    ("help_rate.over", '[help_rate]\nover = "shipped"'),
    ("help_rate.min_orders", "[help_rate]\nmin_orders = 0"),
    ("help_rate.min_shops", "[help_rate]\nmin_shops = 2.5"),
    ("help_rate.hold", "[help_rate]\nhold = 0"),
    ("help_rate.hold", "[help_rate]\nhold = 1.1"),
    ("help_rate", "[help_rate]\nelevated = 1.6"),
    ("help_rate", "[help_rate]\ncampaign_blocked = 3.0"),
    ("interventions.repeat_hours", "[interventions]\nrepeat_hours = 0"),
    ("interventions.phrases", "[interventions]\nphrases = [5]"),
]


@pytest.mark.parametrize(("field", "text"), BAD)
def test_a_setting_out_of_its_range_is_named(tmp_path: Path, field: str, text: str) -> None:
    line = refused(tmp_path, f'extends = "default"\n{text}\n')
    assert line.startswith(field)
    assert len(line) > len(field) + 5, "and what is allowed"


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("shipments.thresholds[0].slow.hours", "slow = { hours = 0 }\nstalled = { hours = 9 }"),
        ("shipments.thresholds[0].stalled", "slow = { hours = 5 }"),
        ("shipments.thresholds[0].slow", "slow = 5\nstalled = { hours = 9 }"),
        ("shipments.thresholds[0].slow.hours.near", "slow = { hours = { near = 1 } }\nstalled = { hours = 9 }"),
        ("shipments.thresholds[0].tier", 'tier = "near"\nslow = { hours = 5 }\nstalled = { hours = 9 }'),
        ("shipments.thresholds[0]", "slow = { hours = 9 }\nstalled = { hours = 9 }"),
        ("shipments.thresholds[0].stalled.hours", "slow = { hours = 9 }\nstalled = { hours = 4320 }"),
        ("shipments.thresholds[0].period", 'period = "x"\nslow = { hours = 5 }\nstalled = { hours = 9 }'),
        ("shipments.thresholds", 'carrier = "SF"\nslow = { hours = 5 }\nstalled = { hours = 9 }'),
        ("shipments.thresholds[0].carrier", 'carrier = ""\nslow = { hours = 5 }\nstalled = { hours = 9 }'),
    ],
)
def test_a_bad_row_of_thresholds_is_named(tmp_path: Path, field: str, row: str) -> None:
    line = refused(tmp_path, THRESHOLDS.format(row))
    # A tier that is missing is named by its place alone.
    assert line.startswith(field) or (field.endswith(".near") and line.startswith(field.rpartition(".")[0]))


RELIEF = {"name": '"flood"', "from": '"2026-07-20T00:00:00+08:00"', "to": '"2026-08-01T00:00:00+08:00"', "hours": "48"}


def relieved(**changes: str | None) -> str:
    """A file with that span of relief; a field that is None is left out."""
    span = {**RELIEF, **changes}
    lines = "\n".join(f"{field} = {value}" for field, value in span.items() if value is not None)
    return f'extends = "default"\n[[shipments.relief]]\n{lines}\n'


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("shipments.relief[0].name", {"name": None}),
        ("shipments.relief[0].name", {"name": '""'}),
        ("shipments.relief[0].from", {"from": None}),
        ("shipments.relief[0].to", {"to": None}),
        ("shipments.relief[0].hours", {"hours": None}),
        ("shipments.relief[0].hours", {"hours": "0"}),
        ("shipments.relief[0].hours", {"hours": '"2 days"'}),
        ("shipments.relief[0].regions", {"regions": "[]"}),
        ("shipments.relief[0].regions", {"regions": '"河南"'}),
        ("shipments.relief[0].regions", {"regions": '[""]'}),
        ("shipments.relief[0].region", {"region": '["河南"]'}),
        ("shipments.relief[0].from", {"from": "20260720"}),
        ("shipments.relief[0] (flood): from", {"from": '"2026-07-20"'}),
        ("shipments.relief[0].from", {"from": "2026-07-20"}),
        ("shipments.relief[0] (flood): from", {"from": "2026-07-20T00:00:00"}),
        ("shipments.relief[0] (flood): to", {"to": '"tomorrow"'}),
        ("shipments.relief[0] (flood): is empty", {"to": RELIEF["from"]}),
        ("shipments.relief[0] (flood): is empty", {"to": '"2026-07-19T23:59:59+08:00"'}),
    ],
)
def test_a_bad_span_of_relief_is_named(tmp_path: Path, field: str, changes: dict[str, str | None]) -> None:
    line = refused(tmp_path, relieved(**changes))
    assert line.startswith(field)
    assert len(line) > len(field) + 5, "and what is allowed"


def test_two_spans_of_relief_have_two_names(tmp_path: Path) -> None:
    _, _, again = relieved().partition('"default"\n')
    line = refused(tmp_path, relieved() + again)
    assert line.startswith("shipments.relief: the name 'flood' is used twice")


def test_a_span_of_relief_may_be_written_in_any_way_that_tells_the_instants(tmp_path: Path) -> None:
    written = (
        '"2026-07-19T16:00:00Z"',
        "2026-07-20T00:00:00+08:00",
        "2026-07-19 16:00:00Z",
        '"2026-07-20T00:00:00.000+08:00"',
    )
    versions = {read(tmp_path, relieved(**{"from": one})).version for one in written}
    span = "{name: flood, from: 2026-07-20T00:00:00+08:00, to: 2026-08-01T00:00:00+08:00, hours: 48}"
    yaml = f"extends: default\nshipments:\n  relief:\n  - {span}\n"
    versions.add(read(tmp_path, yaml, "own.yaml").version)
    assert len(versions) == 1


def test_nothing_is_given_where_the_limits_of_suspicion_and_late_registration_are_none(tmp_path: Path) -> None:
    text = (
        "[shipments]\nlate_registration = { hours = 0 }\n[suspicious]\npaid_slack = { hours = 0 }\nreuse = { days = 0 }"
    )
    policy = read(tmp_path, f'extends = "default"\n{text}\n')
    assert (policy.shipments.late, policy.suspicious.paid_slack.micros, policy.suspicious.reuse.micros) == (0, 0, 0)


def test_slow_must_be_shorter_than_stalled_in_every_tier(tmp_path: Path) -> None:
    slow = "{ after_pickup = 1, remote = 2, near = 30, cross_province = 4 }"
    line = refused(tmp_path, THRESHOLDS.format(f"slow = {{ hours = {slow} }}\nstalled = {{ hours = 20 }}"))
    assert line.startswith("shipments.thresholds[0]")
    assert "near" in line


@pytest.mark.parametrize(
    ("field", "periods"),
    [
        ("periods[0]", '[[periods]]\nname = "a"\nfirst = "06-31"\nlast = "07-01"'),
        ("periods[0]", '[[periods]]\nname = "a"\nfirst = "2026-02-30"\nlast = "2026-03-01"'),
        ("periods[0]", '[[periods]]\nname = "a"\nfirst = "06-01"\nlast = "2026-06-20"'),
        ("periods[0]", '[[periods]]\nname = "a"\nfirst = "6-1"\nlast = "6-20"'),
        ("periods[0]", '[[periods]]\nname = "a"\nfirst = "2026-06-20"\nlast = "2026-06-01"'),
        ("periods[0]", '[[periods]]\nname = "a"\nfirst = "20260601"\nlast = "20260620"'),
        ("periods[0].first", '[[periods]]\nname = "a"\nlast = "06-20"'),
        (
            "periods[0].utc_offset_hours",
            '[[periods]]\nname = "a"\nfirst = "06-01"\nlast = "06-20"\nutc_offset_hours = 15',
        ),
        ("periods", '[[periods]]\nname = "a"\nfirst = "06-01"\nlast = "06-20"\n' * 2),
    ],
)
def test_a_bad_period_is_named(tmp_path: Path, field: str, periods: str) -> None:
    assert refused(tmp_path, f'extends = "default"\n{periods}\n').startswith(field)


def test_a_policy_without_a_parent_must_give_everything(tmp_path: Path) -> None:
    assert refused(tmp_path, 'name = "own"\n').endswith(": missing")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("own.toml", "orders = ["),
        ("own.toml", "[orders]\n[orders]\n"),
        ("own.yaml", "orders: [1\n  - 2"),
        ("own.yaml", "a: &a [*a"),
        ("own.yaml", "!!python/object:os.system {}"),
        ("own.yml", "- just\n- a list\n"),
        ("own.yaml", "only text"),
        ("own.yaml", 'orders: {"\\ud83d": null}'),
        ("own.yaml", 'name: "\\ude00"'),
        ("own.yaml", ""),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, name: str, text: str) -> None:
    assert refused(tmp_path, text, name)


def test_bytes_that_are_no_text_are_refused_in_one_line(tmp_path: Path) -> None:
    for name in ("own.toml", "own.yaml"):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe\x00\x80")
        with pytest.raises(BadPolicy, match="cannot be read") as caught:
            load.load(str(path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "nowhere.toml", "no/where.yaml", "", ".", "default.toml", "../default"])
def test_a_name_that_is_neither_a_profile_nor_a_file_is_refused(name: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        load.load(name)
    assert "\n" not in str(caught.value)
    assert "default" in str(caught.value)
    assert "tmall-2026" in str(caught.value)


# -- extends


def test_what_a_file_does_not_give_is_its_parents(tmp_path: Path) -> None:
    own = read(tmp_path, 'extends = "default"\nname = "own"\n[orders]\nship_by_hours = 24\n')
    parent = load.default()
    assert own.orders.ship_by_hours == 24
    assert own == msgspec.structs.replace(
        parent, name="own", orders=msgspec.structs.replace(parent.orders, ship_by_hours=24.0)
    )


def test_lists_and_thresholds_are_replaced_whole(tmp_path: Path) -> None:
    own = read(tmp_path, 'extends = "tmall-2026"\n[shipments]\nremote_regions = ["西藏"]\n')
    assert own.shipments.remote_regions == ("西藏",)
    assert own.shipments.thresholds == load.load("tmall-2026").shipments.thresholds
    own = read(tmp_path, 'extends = "default"\n[shipments]\nnot_collected = { hours = 9, strict = false }\n')
    assert own.shipments.not_collected.micros["near"] == 9 * 3_600_000_000
    assert not own.shipments.not_collected.strict


def test_a_file_may_extend_another_that_extends_a_profile(tmp_path: Path) -> None:
    parent, child = tmp_path / "parent.yaml", tmp_path / "child.toml"
    parent.write_text("extends: default\norders: {ship_by_hours: 24}\n")
    child.write_text(f'extends = "{parent}"\n[orders]\ndue_soon_hours = 6\n')
    own = load.load(str(child))
    assert (own.orders.ship_by_hours, own.orders.due_soon_hours, own.orders.out_of_stock_hours) == (24, 6, 72)


@pytest.mark.parametrize("text", ['extends = "{own}"', "extends = 5", 'extends = ["default"]', 'extends = "nowhere"'])
def test_a_parent_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text.replace("{own}", str(own)))
    with pytest.raises(BadPolicy) as caught:
        load.load(str(own))
    assert "\n" not in str(caught.value)


def test_parents_in_a_circle_are_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text(f'extends = "{two}"')
    two.write_text(f'extends = "{one}"')
    with pytest.raises(BadPolicy, match="circle"):
        load.load(str(one))


# -- versions, and the two forms


def test_a_version_is_the_contents_and_not_the_files(tmp_path: Path) -> None:
    default = load.default()
    same = read(tmp_path, 'extends = "default"\n[orders]\nship_by_hours = 48.0\n')
    assert same.version == default.version
    assert same.label == f"default@{default.version}"
    assert read(tmp_path, 'extends = "default"\n# a comment\n', "other.toml").version == default.version
    for text in ("[orders]\nship_by_hours = 49", 'name = "own"', 'platform = "p"', "[tickets]\ndue_soon_percent = 76"):
        assert read(tmp_path, f'extends = "default"\n{text}\n').version != default.version


def test_every_profile_has_a_version_of_its_own() -> None:
    found = {name: load.load(name) for name in load.profiles()}
    assert {"default", "tmall-2026"} <= set(found)
    assert len({policy.version for policy in found.values()}) == len(found)
    assert all(policy.name == name for name, policy in found.items())


@pytest.mark.parametrize("profile", load.profiles())
def test_yaml_says_what_toml_says(tmp_path: Path, profile: str) -> None:
    text = (resources.files("streams.policy") / "profiles" / f"{profile}.toml").read_text("utf-8")
    as_yaml = yaml.safe_dump(tomllib.loads(text), allow_unicode=True, sort_keys=False)
    for name in ("own.yaml", "own.yml"):
        own = read(tmp_path, as_yaml, name)
        assert own == load.load(profile)
        assert own.version == load.load(profile).version


def test_the_numbers_of_the_default_policy_are_those_of_the_rules() -> None:
    policy = load.default()
    hour = 3_600_000_000
    assert policy.lateness.micros == {"orders": 60_000_000, "logistics-scans": hour, "chats": 60_000_000}
    row = policy.thresholds("SF", 0)
    assert {row.slow.micros[tier] for tier in row.slow.micros} == {72 * hour}
    assert {row.stalled.micros[tier] for tier in row.stalled.micros} == {168 * hour}
    assert (row.slow.strict, row.stalled.strict) == (True, True)
    assert set(policy.shipments.not_collected.micros.values()) == {24 * hour}
    assert policy.shipments.given_up == policy.shipments.keep == 180 * 24 * hour
    assert policy.shipments.shortest == 72 * hour - 1
    rate = policy.help_rate
    assert (rate.min_orders, rate.min_shops, rate.delisting_min_escalations) == (30, 5, 5)
    assert (rate.elevated, rate.campaign_blocked, rate.delisting_risk, rate.hold) == (1.2, 1.5, 3.0, 0.9)
