"""The table of carriers, and carriers in a policy."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams import carriers
from streams.policy import load
from streams.policy.hints import hints


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("zhongtong", "ZTO"), ("ZTO", "ZTO"), ("zto", "ZTO"), ("中通", "ZTO"), ("zto-express", "ZTO")),
        *(("中通快递", "ZTO"), ("ZTO_Express", "ZTO"), (" ZTO Express ", "ZTO"), ("HTKY", "BEST"), ("yunda", "YD")),
        *(("190008", "YUNEXPRESS"), ("21051", "USPS"), ("SF Express", "SF"), ("FDXE", "FEDEX"), ("unheard-of", None)),
    ],
)
def test_a_carrier_is_known_by_any_of_its_names(name: str, code: str | None) -> None:
    assert carriers.code_of(name) == code
    assert carriers.canonical(name) == (code or name.strip())


@pytest.mark.parametrize(
    ("names", "carrier"),
    [(["zhongtong"], "ZTO"), (["unheard-of", "圆通速递"], "YTO"), (["Unheard Of"], "Unheard Of"), (["", " "], None)],
)
def test_of_several_names_the_first_that_is_known_holds(names: list[str], carrier: str | None) -> None:
    assert carriers.carrier_name(*names) == carrier


def test_two_names_are_the_same_where_both_are_known_as_one() -> None:
    assert carriers.same("zhongtong", "中通")
    assert carriers.same("X", "X")
    assert not carriers.same("X", "x")
    assert not carriers.same("ZTO", "YTO")


def policy(folder: Path, carrier: str) -> str:
    rows = "slow = { hours = 48 }\nstalled = { hours = 120 }\n"
    rest = "[[shipments.thresholds]]\nslow = { hours = 72 }\nstalled = { hours = 168 }\n"
    path = folder / "policy.toml"
    path.write_text(f'extends = "default"\n[[shipments.thresholds]]\ncarrier = "{carrier}"\n{rows}{rest}')
    return str(path)


@pytest.mark.parametrize("spelled", ["zto", "ZTO", "zhongtong", "中通"])
@pytest.mark.parametrize("seen", ["zto", "ZTO", "zhongtong", "中通"])
def test_a_row_holds_for_its_carrier_whatever_the_spelling(tmp_path: Path, spelled: str, seen: str) -> None:
    found = load.load(policy(tmp_path, spelled))
    assert found.thresholds(seen, 0).slow.hours == 48
    assert found.thresholds("YTO", 0).slow.hours == 72


@pytest.mark.parametrize(
    ("carrier", "asked"), [("ztoo", "did you mean ZTO or ZTOKY?"), ("Nobody", "it holds for this spelling alone")]
)
def test_an_unknown_carrier_is_asked_about(tmp_path: Path, carrier: str, asked: str) -> None:
    (hint,) = hints(load.load(policy(tmp_path, carrier)))
    assert hint == f"shipments.thresholds[0].carrier: {carrier!r} is no carrier that is known; {asked}"
    assert hints(load.load(policy(tmp_path, "zhongtong"))) == []


def test_a_second_row_for_the_same_carrier_under_another_name_never_holds(tmp_path: Path) -> None:
    path = Path(policy(tmp_path, "ZTO"))
    text = path.read_text()
    row = text[text.index("[[") : text.index("[[", text.index("[[") + 2)]
    path.write_text(text.replace(row, row + row.replace('"ZTO"', '"中通"'), 1))
    assert any("never holds" in problem for problem in load.problems(str(path)))


def test_one_name_per_carrier_is_another_version_and_off_changes_none(tmp_path: Path) -> None:
    off = tmp_path / "off.toml"
    off.write_text('extends = "default"\n[carriers]\ncanonical = false\n')
    assert load.load(str(off)).version == load.default().version
    off.write_text('extends = "default"\n[carriers]\ncanonical = true\n')
    assert load.load(str(off)).version != load.default().version
