"""An authority that issues certificates for brokers and clients, as files, for as short a time as a test wants."""

from __future__ import annotations

import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from trustme import CA

#: The file names of Kubernetes' secrets of the kind `kubernetes.io/tls`.
AUTHORITY, CERTIFICATE, KEY = "ca.crt", "tls.crt", "tls.key"
_HOST = "127.0.0.1"


class Authority:
    """A certificate authority of its own."""

    def __init__(self) -> None:
        self._ca = CA()
        self.pem = self._ca.cert_pem.bytes().decode()

    def issue(self, name: str, seconds: float = 86_400.0) -> tuple[str, str]:
        """Certificate and key (PKCS#8, as Java reads it) of this common name, from an hour ago on for so long."""
        now = datetime.datetime.now(datetime.UTC)
        leaf = self._ca.issue_cert(
            _HOST,
            common_name=name,
            organization_unit_name="tests",
            not_before=now - datetime.timedelta(hours=1),
            not_after=now + datetime.timedelta(seconds=seconds),
        )
        key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return leaf.cert_chain_pems[0].bytes().decode(), plain.decode()


class Secret:
    """A folder as Kubernetes mounts a secret: its files are links that all change at one moment."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        self.folder = folder
        self._versions = 0
        folder.mkdir(parents=True)
        self.hold(files)

    def hold(self, files: dict[str, str]) -> None:
        """Replaces all that it holds."""
        self._versions += 1
        version = self.folder / f"..{self._versions}"
        version.mkdir()
        for name, content in files.items():
            (version / name).write_text(content)
            link = self.folder / name
            if not link.is_symlink():
                link.symlink_to(Path("..data") / name)
        fresh = self.folder / "..data_tmp"
        fresh.symlink_to(version.name)
        fresh.replace(self.folder / "..data")

    def __truediv__(self, name: str) -> str:
        return str(self.folder / name)
