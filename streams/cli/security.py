"""Authentication and encryption: the options of commands that connect, as arguments for Kafka clients.

Secrets are read from the environment or from files: everybody on the machine can see a command line. Files are read
again for new connections, so that what they hold is renewed while a command runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

import click

from streams.engine.errors import why_unusable
from streams.engine.log.certificates import CertificateFiles, RenewedContext
from streams.engine.log.passwords import PasswordFile

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
BEARER = "OAUTHBEARER"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", BEARER)

#: The password of `--sasl-username`, and the one that `--ssl-keyfile` is encrypted with.
SASL_PASSWORD = "PARCELWATCH_SASL_PASSWORD"  # noqa: S105 - the name of a variable
KEY_PASSWORD = "PARCELWATCH_SSL_KEY_PASSWORD"  # noqa: S105

Command = TypeVar("Command", bound=Callable[..., Any])

_file = click.Path(exists=True, dir_okay=False)

_OPTIONS = (
    click.option("--security-protocol", type=click.Choice(PROTOCOLS), default=PROTOCOLS[0], show_default=True,
                 help="Security protocol of the brokers."),
    click.option("--sasl-mechanism", type=click.Choice(MECHANISMS), default=MECHANISMS[0], show_default=True,
                 help="SASL mechanism, with SASL_PLAINTEXT or SASL_SSL."),
    click.option("--sasl-username", metavar="NAME",
                 help=f"SASL user; its password is read from {SASL_PASSWORD}, or a file."),
    click.option("--sasl-password-file", metavar="FILE", type=_file,
                 help=f"File with its password, read again for each connection; in place of {SASL_PASSWORD}."),
    click.option("--sasl-token-provider", metavar="NAME",
                 help=f"Token provider for {BEARER}: msk, or another installed one."),
    click.option("--ssl-cafile", type=_file, help="Trusted certificate authorities; default: the system's."),
    click.option("--ssl-certfile", type=_file, help="Client certificate, if the brokers require one."),
    click.option("--ssl-keyfile", type=_file, help=f"Its key; a password for it is read from {KEY_PASSWORD} only."),
)  # fmt: skip


def security_options(command: Command) -> Command:
    """Adds the options; the command gets `client`, a mapping of arguments for every Kafka client."""

    @wraps(command)
    def connecting(
        *arguments: Any,
        security_protocol: str,
        sasl_mechanism: str,
        sasl_username: str | None,
        sasl_password_file: str | None,
        sasl_token_provider: str | None,
        ssl_cafile: str | None,
        ssl_certfile: str | None,
        ssl_keyfile: str | None,
        **others: Any,
    ) -> Any:
        given = {"--ssl-cafile": ssl_cafile, "--ssl-certfile": ssl_certfile, "--ssl-keyfile": ssl_keyfile}
        client = {
            "security_protocol": security_protocol,
            **_sasl(security_protocol, sasl_mechanism, sasl_username, sasl_password_file, sasl_token_provider),
            **_ssl(security_protocol, given),
        }
        return command(*arguments, client=client, **others)

    for option in reversed(_OPTIONS):
        connecting = option(connecting)
    return connecting  # type: ignore[return-value]


def _sasl(
    protocol: str, mechanism: str, username: str | None, password_file: str | None, provider: str | None
) -> dict[str, Any]:
    """Raises `click.UsageError` where something is missing, or given for nothing."""
    if not protocol.startswith("SASL_"):
        given = {
            "--sasl-username": username,
            "--sasl-password-file": password_file,
            "--sasl-token-provider": provider,
        }
        for option, value in given.items():
            if value is not None:
                raise click.UsageError(f"{option} needs --security-protocol SASL_SSL or SASL_PLAINTEXT")
        return {}
    if mechanism == BEARER:
        if provider is None:
            raise click.UsageError(f"--sasl-mechanism {BEARER} needs --sasl-token-provider")
        for option, value in (("--sasl-username", username), ("--sasl-password-file", password_file)):
            if value is not None:
                raise click.UsageError(f"{option} is not for --sasl-mechanism {BEARER}: the token says who one is")
        # The client is slow to import, and many commands that have these options as text only do not connect.
        from streams.cli.tokens import token_provider

        return {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": token_provider(provider)}
    if provider is not None:
        raise click.UsageError(f"--sasl-token-provider needs --sasl-mechanism {BEARER}")
    password = os.environ.get(SASL_PASSWORD) if password_file is None else _password_in(password_file)
    if not username or not password:
        raise click.UsageError(
            f"--security-protocol {protocol} needs --sasl-username and a password in {SASL_PASSWORD} or "
            "--sasl-password-file"
        )
    return {"sasl_mechanism": mechanism, "sasl_plain_username": username, "sasl_plain_password": password}


def _password_in(file: str) -> PasswordFile:
    """Raises `click.UsageError` where there is none."""
    try:
        return PasswordFile(file)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--sasl-password-file {file}: {why_unusable(error)}") from None


def _ssl(protocol: str, files: Mapping[str, str | None]) -> dict[str, Any]:
    """Raises `click.UsageError` where files do not go together or cannot be read."""
    cafile, certfile, keyfile = files.values()
    if not protocol.endswith("SSL"):
        for option, file in files.items():
            if file is not None:
                raise click.UsageError(f"{option} needs --security-protocol SSL or SASL_SSL")
        return {}
    if keyfile is not None and certfile is None:
        raise click.UsageError("--ssl-keyfile needs --ssl-certfile")
    try:
        context = RenewedContext(CertificateFiles(cafile, certfile, keyfile, lambda: os.environ.get(KEY_PASSWORD, "")))
    except (OSError, ValueError) as error:
        named = ", ".join(f"{option} {file}" for option, file in files.items() if file is not None)
        raise click.UsageError(f"{named}: {why_unusable(error)}") from None
    return {"ssl_context": context}
