"""What is served is settled before anything listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.ingest.handling import Served
from streams.ingest.secrets import BadSecret, read_secrets
from streams.ingest.serving import BadSetUp, by_format, served_formats

SALT = {"PARCELWATCH_INGEST_SECRET_KUAIDI100": "salt"}


def served(
    *named: str,
    unchecked: tuple[str, ...] = (),
    secrets: dict[str, str] = SALT,
    tz: tuple[str, ...] = (),
    carrier: tuple[str, ...] = (),
) -> list[Served]:
    return served_formats(
        named,
        unchecked,
        read_secrets(secrets, None),
        tz=by_format("--tz", tz),
        carrier=by_format("--carrier", carrier),
        shop={},
    )


def refusal(*named: str, unchecked: tuple[str, ...] = (), secrets: dict[str, str] = SALT, tz: str = "") -> str:
    with pytest.raises((BadSetUp, BadSecret)) as refused:
        served(*named, unchecked=unchecked, secrets=secrets, tz=(tz,) if tz else ())
    return str(refused.value)


def test_without_names_those_with_a_secret_are_served() -> None:
    both = SALT | {"PARCELWATCH_INGEST_SECRET_SF_ROUTE": "sixteen-letters-"}
    assert [one.name for one in served(secrets=both)] == ["kuaidi100", "sf-route"]
    assert [one.secrets for one in served()] == [(b"salt",)]


def test_a_format_without_a_secret_is_refused_unless_that_is_wished_for() -> None:
    assert refusal("kdniao", "kuaidi100") == (
        "kdniao: no secret: set PARCELWATCH_INGEST_SECRET_KDNIAO, or say --insecure-without-check kdniao"
    )
    assert [one.secrets for one in served("kuaidi100", unchecked=("kdniao",))] == [(b"salt",), ()]


def test_a_format_with_a_secret_is_checked() -> None:
    assert "has a secret" in refusal(unchecked=("kuaidi100",))


def test_nothing_a_strange_format_and_one_of_folders_are_refused() -> None:
    assert "nothing to serve" in refusal(secrets={})
    assert "unknown format" in refusal("pigeons")
    assert "a format of folders" in refusal("kuaidi100", unchecked=("olist",))


def test_a_secret_that_nothing_uses_is_refused() -> None:
    spoken = {"PARCELWATCH_INGEST_SECRET_PIGEONS": "coo"}
    assert "PARCELWATCH_INGEST_SECRET_PIGEONS: there is no such format" in refusal(secrets=spoken)
    assert "a format that is not served" in refusal("kuaidi100", secrets=SALT | spoken)


@pytest.mark.parametrize(("token", "taken"), [("fifteen-letters", False), ("sixteen-letters-", True)])
def test_a_token_has_sixteen_characters(token: str, taken: bool) -> None:
    secrets = {"PARCELWATCH_INGEST_SECRET_CAINIAO": token}
    if taken:
        assert served(secrets=secrets)
    else:
        said = refusal(secrets=secrets)
        assert "at least 16 characters" in said
        assert token not in said


def test_a_described_format_is_served_by_the_name_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[layout]]\nscans = "events"\nnumber = "no"\ntime = "at"\n')
    (one,) = served(str(file), secrets={"PARCELWATCH_INGEST_SECRET_MINE": "sixteen-letters-"})
    assert one.name == "mine"


def test_the_formats_of_shops_that_number_by_themselves_are_named() -> None:
    both = read_secrets(SALT | {"PARCELWATCH_INGEST_SECRET_WOOCOMMERCE": "key"}, None)
    none: dict[str, str] = {}
    found = served_formats((), (), both, tz=none, carrier=none, shop=none, by_shop=("woocommerce",))
    assert {one.name: one.settings.by_shop for one in found} == {"kuaidi100": False, "woocommerce": True}
    with pytest.raises(BadSetUp, match="--by-shop shopify"):
        served_formats((), (), both, tz=none, carrier=none, shop=none, by_shop=("shopify",))


def test_a_zone_and_a_carrier_are_for_all_or_for_one() -> None:
    both = SALT | {"PARCELWATCH_INGEST_SECRET_KDNIAO": "key"}
    one, two = served(secrets=both, tz=("Asia/Tokyo", "kdniao=Asia/Seoul"), carrier=("kuaidi100=ZTO",))
    assert (one.name, one.settings.tz.key, one.settings.carrier) == ("kdniao", "Asia/Seoul", None)
    assert (two.settings.tz.key, two.settings.carrier) == ("Asia/Tokyo", "ZTO")
    assert "Atlantis" in refusal(tz="Atlantis")
    assert "a format that is not served" in refusal(tz="kdniao=Asia/Seoul")
    assert "neither VALUE nor FORMAT=VALUE" in refusal(tz="=Asia/Seoul")
