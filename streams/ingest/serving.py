"""Which formats are served, how each is read, and what its senders have to know: before anything listens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from schemas.did_you_mean import did_you_mean
from streams.adapt import InputError, format_of, formats, settings_for
from streams.ingest.handling import Served
from streams.ingest.secrets import PREFIX, BadSecret, Secrets, variable_part
from streams.ingest.senders import sender_of

#: By the name of a format, or by "" for all others.
ByFormat = Mapping[str, str]


class BadSetUp(Exception):
    """What is asked for cannot be served; the message is one line."""


def by_format(option: str, given: Sequence[str]) -> dict[str, str]:
    """`[FORMAT=]VALUE`, some of them, by format. Raises `BadSetUp`."""
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = (part.strip() for part in text.rpartition("="))
        if not value or (equals and not name):
            raise BadSetUp(f"{option} {text}: neither VALUE nor FORMAT=VALUE")
        if name in found:
            raise BadSetUp(f"{option}: given twice for {name or 'all formats'}")
        found[name] = value
    return found


def served_formats(
    named: Sequence[str],
    unchecked: Sequence[str],
    secrets: Secrets,
    *,
    tz: ByFormat,
    carrier: ByFormat,
    shop: ByFormat,
    by_shop: Sequence[str] = (),
) -> list[Served]:
    """Those named; or, where none is, those with a secret and those unchecked. Raises `BadSetUp` and `BadSecret`.

    A format has secrets, or is one of `unchecked` whose senders nobody checks.
    """
    chosen = [*dict.fromkeys((*(named or _with_secrets(secrets)), *unchecked))]
    if not chosen:
        raise BadSetUp(f"nothing to serve: set {PREFIX}KUAIDI100, or that of another format")
    found = [_served(name, name in unchecked, secrets, tz, carrier, shop, by_shop) for name in chosen]
    names = [served.name for served in found]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadSetUp(f"two formats are called {', '.join(sorted(twice))}")
    parts = {variable_part(name) for name in names}
    if unused := [where for part, where in secrets.source.items() if part not in parts]:
        raise BadSetUp(f"{unused[0]}: a secret of a format that is not served")
    for option, given in (("--tz", tz), ("--carrier", carrier), ("--shop", shop), ("--by-shop", by_shop)):
        if strange := {*given} - {"", *names}:
            first = sorted(strange)[0]
            raise BadSetUp(f"{option} {first}=...: a format that is not served{did_you_mean(first, names)}")
    return found


def _with_secrets(secrets: Secrets) -> list[str]:
    parts = {variable_part(name): name for name, one in formats().items() if not one.folder}
    for part, where in secrets.source.items():
        if part not in parts:
            meant = did_you_mean(part, parts)
            raise BadSetUp(f"{where}: there is no such format{meant}; name one of your own by --push FILE.toml")
    return sorted(parts[part] for part in secrets.source)


def _served(
    name: str,
    unchecked: bool,
    secrets: Secrets,
    tz: ByFormat,
    carrier: ByFormat,
    shop: ByFormat,
    by_shop: Sequence[str],
) -> Served:
    try:
        chosen = format_of(name)
        if chosen.folder:
            raise BadSetUp(f"{name}: a format of folders, which nobody pushes")

        def given(values: ByFormat) -> str | None:
            return values.get(chosen.name, values.get(""))

        settings = settings_for(
            chosen, tz=given(tz), carrier=given(carrier), shop=given(shop), by_shop=chosen.name in by_shop
        )
    except InputError as error:
        raise BadSetUp(str(error)) from None
    sender, own = sender_of(chosen.name), secrets.of(chosen.name)
    variable = PREFIX + variable_part(chosen.name)
    if unchecked == bool(own):
        raise BadSetUp(
            f"{name}: has a secret, and is not to be checked"
            if unchecked
            else f"{name}: no secret: set {variable}, or say --insecure-without-check {name}"
        )
    if any(len(one) < sender.shortest for one in own):
        raise BadSecret(
            f"{secrets.source[variable_part(chosen.name)]}: a token has at least {sender.shortest} characters"
        )
    return Served(chosen.name, chosen, settings, sender, own)
