"""A TLS context goes by what its files hold when a connection is made, however they have been replaced."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from streams.engine.log.certificates import CertificateFiles, RenewedContext, Validity, validity_of
from tests.kafka_broker.certificates import AUTHORITY, CERTIFICATE, KEY, Authority, Secret

HOUR, DAY = 3600.0, 86_400.0


def files_of(secret: Secret) -> CertificateFiles:
    return CertificateFiles(secret / AUTHORITY, secret / CERTIFICATE, secret / KEY)


def issued(authority: Authority, name: str, seconds: float = DAY) -> dict[str, str]:
    certificate, key = authority.issue(name, seconds)
    return {AUTHORITY: authority.pem, CERTIFICATE: certificate, KEY: key}


class Broker:
    """The other end of a handshake: shows its own certificate, and wants the client's."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        secret = Secret(folder, issued(authority, "broker"))
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=secret / AUTHORITY)
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._context.load_cert_chain(secret / CERTIFICATE, secret / KEY)

    def meets(self, client: ssl.SSLContext) -> str:
        """The common name that a client comes by. Raises `ssl.SSLError`."""
        there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
        ends = [client.wrap_bio(back, there, server_hostname="127.0.0.1"), self._context.wrap_bio(there, back, True)]
        for _ in range(4):
            for end in ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        subject = ends[1].getpeercert()["subject"]  # type: ignore[index]
        return str(dict(pair for (pair,) in subject)["commonName"])  # type: ignore[misc]


def test_the_next_connection_takes_what_a_secret_holds_then(tmp_path: Path) -> None:
    authority = Authority()
    broker, secret = Broker(tmp_path / "broker", authority), Secret(tmp_path / "client", issued(authority, "one"))
    context = RenewedContext(files_of(secret))
    assert broker.meets(context) == "one"
    with capture_logs() as logs:
        secret.hold(issued(authority, "two"))
        assert broker.meets(context) == "two"
        assert broker.meets(context) == "two"
    assert [each["event"] for each in logs] == ["certificates renewed"]


def test_files_that_do_not_belong_together_yet_are_waited_for(tmp_path: Path) -> None:
    authority = Authority()
    broker, secret = Broker(tmp_path / "broker", authority), Secret(tmp_path / "client", issued(authority, "one"))
    context = RenewedContext(files_of(secret))
    fresh = issued(authority, "two")
    with capture_logs() as logs:
        # The key is written after the certificate, and both at once are gone for a while.
        Path(secret / CERTIFICATE).write_text(fresh[CERTIFICATE])
        assert broker.meets(context) == "one"
        assert broker.meets(context) == "one"
        Path(secret / KEY).unlink()
        assert broker.meets(context) == "one"
        Path(secret / KEY).write_text(fresh[KEY])
        assert broker.meets(context) == "two"
    assert [each["log_level"] for each in logs] == ["warning", "warning", "info"]


def test_authorities_are_replaced_and_not_added_to(tmp_path: Path) -> None:
    former, later = Authority(), Authority()
    own = issued(former, "one")
    before, behind = Broker(tmp_path / "before", former), Broker(tmp_path / "behind", later)
    secret = Secret(tmp_path / "client", own)
    context = RenewedContext(files_of(secret))
    with pytest.raises(ssl.SSLCertVerificationError):
        behind.meets(context)
    secret.hold({**own, AUTHORITY: former.pem + later.pem})
    assert before.meets(context) == "one"
    secret.hold({**own, AUTHORITY: later.pem})
    with pytest.raises(ssl.SSLCertVerificationError):
        before.meets(context)
    secret.hold({**issued(later, "two"), AUTHORITY: later.pem})
    assert behind.meets(context) == "two"


def test_a_name_that_is_not_the_brokers_is_refused(tmp_path: Path) -> None:
    authority = Authority()
    context = RenewedContext(files_of(Secret(tmp_path / "client", issued(authority, "one"))))
    end = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="elsewhere")
    assert end.context.check_hostname
    assert end.context.verify_mode is ssl.CERT_REQUIRED


def test_the_validity_follows_the_files(tmp_path: Path) -> None:
    authority = Authority()
    secret = Secret(tmp_path / "client", issued(authority, "one", HOUR))
    context = RenewedContext(files_of(secret))
    client = {"ssl_context": context}
    now = time.time()

    def own() -> Validity:
        return validity_of(client)["client"]

    assert own().end == pytest.approx(now + HOUR, abs=60)
    assert own().begin == pytest.approx(now - HOUR, abs=60)
    assert "CN=one" in own().subject
    assert validity_of(client)["authority"].end > now + 365 * DAY
    secret.hold(issued(authority, "two", -60))
    assert own().end == pytest.approx(now - 60, abs=60)
    assert validity_of({}) == {}
    assert validity_of({"ssl_context": ssl.create_default_context()}) == {}
