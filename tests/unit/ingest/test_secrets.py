"""Where secrets come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.ingest.secrets import BadSecret, read_secrets


def test_a_variable_or_a_file_holds_one_or_two(tmp_path: Path) -> None:
    (tmp_path / "sf-route").write_text("old-token-of-sf-0\nnew-token-of-sf-0\n")
    (tmp_path / "..data").mkdir()
    (tmp_path / ".hidden").write_text("x")
    found = read_secrets({"PARCELWATCH_INGEST_SECRET_17TRACK": "key", "PATH": "/"}, tmp_path)
    assert found.of("17track") == (b"key",)
    assert found.of("sf-route") == (b"old-token-of-sf-0", b"new-token-of-sf-0")
    assert found.of("kuaidi100") == ()
    assert "token-of-sf" not in repr(found)


@pytest.mark.parametrize("text", ["", " \n", "one two three"])
def test_none_and_three_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadSecret, match="PARCELWATCH_INGEST_SECRET_SHOPIFY: needs one secret") as refused:
        read_secrets({"PARCELWATCH_INGEST_SECRET_SHOPIFY": text}, None)
    assert "two three" not in str(refused.value)


def test_a_variable_and_a_file_for_one_format_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kuaidi100").write_text("salt")
    with pytest.raises(BadSecret, match="for the same format"):
        read_secrets({"PARCELWATCH_INGEST_SECRET_KUAIDI100": "salt"}, tmp_path)
