"""A model of delivery estimates: its file, what a policy makes of it, and which group tells of a parcel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.times import HOUR
from streams.policy import load
from streams.policy.estimates import DeliveryModel, Estimate, encoded
from streams.policy.load import BadPolicy
from streams.policy.settings import differences, settings
from tests.unit.estimating import group, model, point

ONE = model(group(point(0, 10, 20, 0.9), point(72, 30, None, 0.6)), hours=(0.0, 72.0))
NAMING = 'extends = "default"\nname = "own"\n[estimates]\nfile = "{}"\n'


def written(folder: Path, content: bytes = encoded(ONE), named: str = "model.json") -> Path:
    """A policy, and the model that it names, in a folder."""
    (folder / "model.json").write_bytes(content)
    file = folder / "own.toml"
    file.write_text(NAMING.format(named))
    return file


def refused(file: Path) -> str:
    with pytest.raises(BadPolicy) as caught:
        load.load(str(file))
    line = str(caught.value)
    assert "\n" not in line
    assert load.problems(str(file)) == [line]
    return line


def test_a_model_is_found_beside_the_policy_that_names_it_also_by_another_that_extends_that(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    written(tmp_path / "below")
    above = tmp_path / "above.toml"
    above.write_text('extends = "below/own.toml"\nname = "above"\n')

    found = load.load(str(above)).estimates.model

    assert found == DeliveryModel(ONE)


def test_what_the_model_holds_is_part_of_the_version_and_where_it_lies_is_not(tmp_path: Path) -> None:
    versions = []
    for name, content in (
        ("a", encoded(ONE)),
        ("b", json.dumps(json.loads(encoded(ONE)), indent=4).encode()),
        ("c", encoded(ONE).replace(b'"delivered_after_all":0.9', b'"delivered_after_all":0.8')),
    ):
        (tmp_path / name).mkdir()
        versions.append(load.load(str(written(tmp_path / name, content))))

    same, also, other = versions
    assert same.version == also.version
    assert same.version != other.version
    assert differences(same, also) == []
    assert [one.name for one in differences(same, other)] == ["estimates.model"]
    assert load.default().version not in {same.version, other.version}


def test_what_shows_a_policy_names_the_model_and_who_set_it(tmp_path: Path) -> None:
    file = written(tmp_path)
    policy, found = settings(str(file))

    shown = {one.name: (one.value, one.set_by) for one in found if one.name.startswith("estimates")}
    assert shown["estimates.file"] == (str(tmp_path / "model.json"), str(file))
    assert policy.estimates.model is not None
    assert shown["estimates.model"] == (policy.estimates.model.digest[:12], str(file))


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encoded(ONE)), **changes}).encode()


def of_groups(*groups: dict[str, Any]) -> bytes:
    plain = {"carrier": None, "tier": None, "status": None, "parcels": 5}
    told = {"silent_hours": 0, "p50_hours": 1, "p90_hours": 2, "delivered_after_all": 0.5}
    return changed(groups=[{**plain, "points": [told], **group} for group in groups])


@pytest.mark.parametrize(("content", "line"), [
    (b"", "no model file"),
    (b"\xff\xfe", "no model file"),
    (b"[" * 100_000, "no model file"),
    (b"[]", "no model file"),
    (b"{}", "missing required field `version`"),
    (changed(version=2), "format 2 is newer than this program, which knows up to 1"),
    (changed(version=2, groups="of another kind"), "format 2 is newer"),
    (changed(version=0), "version"),
    (changed(version="1"), "version"),
    (changed(more=1), "unknown field `more`"),
    (changed(groups=[]), "groups"),
    (changed(silent_hours=[0, 0, 72]), "silent_hours: must rise"),
    (changed(silent_hours=[0]), "groups[0].points: 72 is none of silent_hours"),
    (of_groups({}, {}), "groups[1]: the same carrier, tier and status"),
    (of_groups({"carrier": "中通"}), "groups[0].carrier: '中通' must be written 'ZTO'"),
    (of_groups({"tier": "near", "status": "arrived"}), "groups[0]: a tier needs a carrier and a status"),
    (of_groups({"tier": "near", "carrier": "ZTO"}), "groups[0]: a tier needs a carrier and a status"),
    (of_groups({"tier": "far"}), "$.groups[0].tier"),
    (of_groups({"status": "lost"}), "$.groups[0].status"),
    (of_groups({"points": []}), "$.groups[0].points"),
    (of_groups({"points": [{"silent_hours": 0, "p50_hours": 3, "p90_hours": 2, "delivered_after_all": 1}]}),
     "p50_hours must not be longer than p90_hours"),
    (of_groups({"points": [{"silent_hours": 0, "p50_hours": None, "p90_hours": 2, "delivered_after_all": 1}]}),
     "p50_hours must not be longer than p90_hours"),
    (of_groups({"points": [{"silent_hours": 0, "p50_hours": 1, "p90_hours": 2, "delivered_after_all": 1.1}]}),
     "delivered_after_all"),
    (of_groups({"points": [{"silent_hours": 0, "p50_hours": -1, "p90_hours": 2, "delivered_after_all": 1}]}),
     "p50_hours"),
])  # fmt: skip
def test_a_model_that_cannot_be_used_is_one_line_that_names_its_file(tmp_path: Path, content: bytes, line: str) -> None:
    said = refused(written(tmp_path, content))

    assert said.startswith(f"policy {tmp_path / 'own.toml'}: estimates.file: {tmp_path / 'model.json'}: ")
    assert line in said


@pytest.mark.parametrize(("named", "line"), [
    ("nowhere.json", "nowhere.json: cannot be read: No such file or directory"),
    (".", "cannot be read: Is a directory"),
    ("a\\u0000b", "cannot be read: no possible name of a file"),
])  # fmt: skip
def test_a_model_that_is_not_there_is_one_line(tmp_path: Path, named: str, line: str) -> None:
    assert line in refused(written(tmp_path, named=named))


@pytest.mark.parametrize(("table", "line"), [
    ("file = 5", "estimates.file: expected text that is not empty, got 5"),
    ('file = ""', "estimates.file: expected text that is not empty, got ''"),
    ('model = "x"', "estimates.model: there is no such setting; allowed: file"),
    ("model = { version = 1 }", "estimates.model: there is no such setting; allowed: file"),
    ('fil = "x"', "estimates.fil: there is no such setting (did you mean file?); allowed: file"),
])  # fmt: skip
def test_a_policy_gives_a_file_and_nothing_else(tmp_path: Path, table: str, line: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(f'extends = "default"\n[estimates]\n{table}\n')

    assert refused(file) == f"policy {file}: {line}"


def told(*groups: Any, carrier: str = "ZTO", silent: float = 0, **of: Any) -> float | None:
    """The share that a model of these groups tells of a parcel that arrived in a near province."""
    asked = {"tier": "near", "status": "arrived", **of}
    found = DeliveryModel(model(*groups)).estimate(carrier, asked["tier"], asked["status"], round(silent * HOUR))
    return found.delivered_after_all


OWN = group(point(0, 1, 2, 0.1), carrier="ZTO", tier="near", status="arrived")
ITS_STATUS = group(point(0, 1, 2, 0.2), point(24, 1, 2, 0.22), carrier="ZTO", status="arrived")
ALL_OF_STATUS = group(point(0, 1, 2, 0.3), point(72, 1, 2, 0.33), status="arrived")
ITS_CARRIER = group(point(0, 1, 2, 0.4), point(120, 1, 2, 0.44), carrier="ZTO")
ALL = group(point(0, 1, 2, 0.5), point(168, 1, None, None))


def test_what_a_group_does_not_tell_the_next_one_does() -> None:
    chain = [OWN, ITS_STATUS, ALL_OF_STATUS, ITS_CARRIER, ALL]

    assert [told(*chain[place:]) for place in range(5)] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert [told(*chain, silent=hours) for hours in (0, 24, 72, 120, 168)] == [0.1, 0.22, 0.33, 0.44, None]


@pytest.mark.parametrize(("of", "share"), [
    ({"tier": "remote"}, 0.2), ({"carrier": "SF"}, 0.3), ({"status": "departed"}, 0.4),
    ({"status": "departed", "carrier": "SF"}, 0.5), ({"carrier": "zhongtong"}, 0.1), ({"carrier": "nobody"}, 0.3),
    ({"status": "not_scanned"}, 0.4),
])  # fmt: skip
def test_a_parcel_is_told_of_by_its_carrier_in_any_of_its_names_its_tier_and_its_status(
    of: dict[str, Any], share: float
) -> None:
    assert told(OWN, ITS_STATUS, ALL_OF_STATUS, ITS_CARRIER, ALL, **of) == share


@pytest.mark.parametrize(("micros", "share"), [
    (24 * HOUR - 1, 0.2), (24 * HOUR, 0.22), (24 * HOUR + 1, 0.22), (72 * HOUR - 1, 0.22), (72 * HOUR, 0.33),
])  # fmt: skip
def test_a_silence_is_rounded_down_to_one_that_is_told_of(micros: int, share: float) -> None:
    assert told(ITS_STATUS, ALL_OF_STATUS, ALL, silent=micros / HOUR) == share


def test_nothing_is_told_where_no_group_tells_it() -> None:
    one = DeliveryModel(model(group(point(72, 5, None, None)), hours=(24.0, 72.0)))

    assert one.estimate("ZTO", "near", "arrived", 24 * HOUR - 1) == Estimate()
    assert one.estimate("ZTO", "near", "arrived", 24 * HOUR) == Estimate()
    assert one.estimate("ZTO", "near", "arrived", 72 * HOUR) == Estimate(5 * HOUR, None, None)
