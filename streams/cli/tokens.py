"""Token providers for OAUTHBEARER, found by entry point, so that adding one needs no fork.

An entry point of the group `parcelwatch.token_providers` is called without arguments, once. What it returns has
`async def token() -> str`, which is awaited for each connection, and may have `extensions() -> Mapping[str, str]`. It
raises `ValueError`, with one line, where it is not set up.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

import click
from aiokafka.abc import AbstractTokenProvider

from schemas.did_you_mean import did_you_mean
from streams.engine.log.kafka_connections import NoTokenError

GROUP = "parcelwatch.token_providers"


class _Provider(AbstractTokenProvider):  # type: ignore[misc]
    """A provider as the client takes it, whatever class it is of."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def token(self) -> str:
        try:
            return str(await self._inner.token())
        except Exception as error:  # whatever it is made with: to the client it is one more reason not to connect
            raise NoTokenError(f"no token: {error}") from error

    def extensions(self) -> dict[str, str]:
        extensions = getattr(self._inner, "extensions", None)
        return dict(extensions()) if extensions is not None else {}


def token_provider(name: str) -> AbstractTokenProvider:
    """The provider of that name. Raises `click.UsageError` where there is none, or it cannot be used."""
    found: dict[str, EntryPoint] = {each.name: each for each in entry_points(group=GROUP)}
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        said = f"--sasl-token-provider {name}: there is none of this name (there are: {known})"
        raise click.UsageError(said + did_you_mean(name, found))
    try:
        inner = found[name].load()()
    except ImportError as error:
        raise click.UsageError(
            f"--sasl-token-provider {name} needs a package that is not installed: {error.name or error}"
            f" (pip install 'parcelwatch[{name}]' where it comes with parcelwatch)"
        ) from None
    except ValueError as error:
        raise click.UsageError(f"--sasl-token-provider {name}: {error}") from None
    if not callable(getattr(inner, "token", None)):
        raise click.UsageError(f"--sasl-token-provider {name} gives no tokens: it has no method `token`")
    return _Provider(inner)
