"""Tokens for OAUTHBEARER: whoever gives them is found by name, and what is wrong with that is told in one line."""

from __future__ import annotations

import base64
from pathlib import Path

import click
import pytest

from streams.cli.msk import MskTokens
from streams.cli.tokens import GROUP, token_provider
from streams.engine.log.kafka_connections import NoTokenError

REGION, KEYS = "AWS_REGION", {"AWS_ACCESS_KEY_ID": "AKIATESTS", "AWS_SECRET_ACCESS_KEY": "for tests only"}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with providers of several kinds."""
    (tmp_path / "givers.py").write_text(
        "class Plain:\n"
        "    async def token(self): return 'a token'\n"
        "class Extended(Plain):\n"
        "    def extensions(self): return {'tenant': 't'}\n"
        "class Failing:\n"
        "    async def token(self): raise OSError('the identity service is down')\n"
        "class Unset:\n"
        "    def __init__(self): raise ValueError('set TENANT')\n"
        "class Nothing: pass\n"
    )
    made = tmp_path / "givers-1.0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: givers\nVersion: 1.0\n")
    names = ("Plain", "Extended", "Failing", "Unset", "Nothing")
    lines = [f"{name.lower()} = givers:{name}\n" for name in names] + ["absent = no_such_package:Giver\n"]
    (made / "entry_points.txt").write_text(f"[{GROUP}]\n" + "".join(lines))
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("installed")
async def test_a_provider_that_is_installed_gives_tokens_with_what_belongs_to_them() -> None:
    for name, extensions in (("plain", {}), ("extended", {"tenant": "t"})):
        provider = token_provider(name)
        assert await provider.token() == "a token"
        assert provider.extensions() == extensions


@pytest.mark.usefixtures("installed")
async def test_a_token_that_cannot_be_had_is_no_fault_of_the_program() -> None:
    with pytest.raises(NoTokenError, match="no token: the identity service is down"):
        await token_provider("failing").token()


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody", "there is none of this name (there are: absent, extended, failing, msk, nothing, plain, unset)"),
        ("absent", "needs a package that is not installed: no_such_package"),
        ("unset", "set TENANT"),
        ("nothing", "gives no tokens"),
    ],
)
def test_a_provider_that_cannot_be_used_is_told_of(name: str, told: str) -> None:
    with pytest.raises(click.UsageError) as raised:
        token_provider(name)
    assert f"--sasl-token-provider {name}" in raised.value.message
    assert told in raised.value.message


async def test_amazons_signer_signs_for_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {**KEYS, REGION: "eu-central-1"}.items():
        monkeypatch.setenv(variable, value)
    tokens = MskTokens()
    token = await tokens.token()
    signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    assert signed.startswith("https://kafka.eu-central-1.amazonaws.com/")
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in signed
    assert await tokens.token() == token
    tokens._ends = 0.0
    assert await tokens.token()


def test_without_a_region_it_says_which_variable_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (REGION, "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(click.UsageError, match="AWS_REGION"):
        token_provider("msk")
