"""TLS contexts that follow their files: certificates are renewed, and authorities replaced, while a process runs.

Whoever renews them replaces files under the same paths, by writing, renaming or a symbolic link, as Kubernetes does.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import structlog

from streams.engine.errors import why_unusable

log = structlog.get_logger(__name__)

Kind = Literal["client", "authority"]
_Stamp = tuple[tuple[int, int, int, int] | None, ...]


class CertificateFiles(NamedTuple):
    """PEM files. Without `authorities` the system's are trusted; `password` opens an encrypted key."""

    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None
    password: Callable[[], str] = lambda: ""


class Validity(NamedTuple):
    """From when to when a certificate is valid, in seconds since 1970, and whose it is."""

    begin: float
    end: float
    subject: str


class RenewedContext(ssl.SSLContext):
    """A client's context with what the files hold when a connection is made; brokers and their names are verified.

    If the files cannot be used just then, say because only one of a pair has been replaced yet, what was loaded before
    is used on, and it is logged once. Any thread may ask for the validity.
    """

    def __new__(cls, files: CertificateFiles) -> RenewedContext:
        """Raises `OSError`, of which `ssl.SSLError` is one, where the files cannot be used."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context._files = files
        context._lock = threading.Lock()
        context._stamp = _stamp(files)
        context._loaded = _load(files)
        context._validity = _validity(files)
        return context

    def __init__(self, files: CertificateFiles) -> None:
        del files  # `__new__` has made all of it: the base class takes a protocol there
        self._files: CertificateFiles
        self._lock: threading.Lock
        self._stamp: _Stamp
        self._loaded: ssl.SSLContext
        self._validity: Mapping[Kind, Validity]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Called for each connection."""
        self._renew()
        return self._loaded.wrap_bio(*arguments, **options)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Likewise."""
        self._renew()
        return self._loaded.wrap_socket(*arguments, **options)

    @property
    def validity(self) -> Mapping[Kind, Validity]:
        """Of the client's certificate, and of that authority which is valid longest, as far as there are files."""
        self._renew()
        return self._validity

    def _renew(self) -> None:
        with self._lock:
            stamp = _stamp(self._files)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            try:
                self._loaded, self._validity = _load(self._files), _validity(self._files)
            except (OSError, ValueError) as error:
                log.warning("certificate files cannot be used, those of before are", error=why_unusable(error),
                            files=_named(self._files))  # fmt: skip
                return
            log.info("certificates renewed", files=_named(self._files),
                     expires={kind: expiry(each) for kind, each in self._validity.items()})  # fmt: skip


def expiry(validity: Validity) -> str:
    """When it ends, in UTC."""
    return datetime.fromtimestamp(validity.end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def validity_of(client: Mapping[str, Any]) -> Mapping[Kind, Validity]:
    """Of the certificates in the options of a Kafka client; nothing where it has none in files."""
    context = client.get("ssl_context")
    return context.validity if isinstance(context, RenewedContext) else MappingProxyType({})


def _load(files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=files.authorities)
    if files.certificate is not None:
        # Without a password for an encrypted key the library would ask at the terminal.
        context.load_cert_chain(files.certificate, files.key, files.password)
    return context


def _stamp(files: CertificateFiles) -> _Stamp:
    """Changes whenever a file does, or a link on the way to it."""
    return tuple(_stamp_of(name) for name in files[:3] if name is not None)


def _stamp_of(name: str) -> tuple[int, int, int, int] | None:
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _validity(files: CertificateFiles) -> Mapping[Kind, Validity]:
    """Raises `OSError` and `ValueError`."""
    found: dict[Kind, Validity] = {}
    if files.certificate is not None:
        # The chain follows the client's own.
        found["client"] = _read(files.certificate)[0]
    if files.authorities is not None:
        found["authority"] = max(_read(files.authorities), key=lambda each: each.end)
    return found


def _read(name: str) -> list[Validity]:
    # Slow to import, and for TLS alone.
    from cryptography import x509

    return [
        Validity(
            each.not_valid_before_utc.timestamp(), each.not_valid_after_utc.timestamp(), each.subject.rfc4514_string()
        )
        for each in x509.load_pem_x509_certificates(Path(name).read_bytes())
    ]


def _named(files: CertificateFiles) -> list[str]:
    return [name for name in files[:3] if name is not None]
