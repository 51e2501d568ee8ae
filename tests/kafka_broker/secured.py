"""Three nodes that want to know who comes, by a certificate or by SCRAM over TLS, and what each may do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from tests.kafka_broker.acls import administrator
from tests.kafka_broker.certificates import Authority
from tests.kafka_broker.cluster import Cluster, Listener
from tests.patience import PATIENCE

MTLS, SCRAM = "MTLS", "SCRAM"
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512")
#: Milliseconds behind which a client by SCRAM-SHA-512 has to say again who it is.
SESSION_MS = 15_000

_LOGIN = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecuredCluster(Cluster):
    """`at[MTLS]` takes certificates of `authority`, whose common name is the user, `at[SCRAM]` users of `scram.py`.

    At `bootstrap` anybody may do everything.
    """

    def __init__(self, folder: Path) -> None:
        self.authority = Authority()
        self._folder = folder
        self._renewals = 0
        folder.mkdir(exist_ok=True)
        for number in (1, 2, 3):
            certificate, key = self.authority.issue("broker")
            self._keys(number).write_text(key + certificate)
        (folder / "trusted.pem").write_text(self.authority.pem)
        super().__init__(folder, 3, {MTLS: Listener("SSL", self._mtls), SCRAM: Listener("SASL_SSL", self._scram)})

    def _tls(self, number: int) -> Mapping[str, str]:
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._keys(number)),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._folder / "trusted.pem"),
        }

    def _mtls(self, number: int) -> Mapping[str, str]:
        rules = {"ssl.client.auth": "required", "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT"}
        return {**self._tls(number), **rules}

    def _scram(self, number: int) -> Mapping[str, str]:
        logins = {f"{each.lower()}.sasl.jaas.config": _LOGIN for each in MECHANISMS}
        session = {"scram-sha-512.connections.max.reauth.ms": str(SESSION_MS)}
        return {**self._tls(number), "sasl.enabled.mechanisms": ",".join(MECHANISMS), **logins, **session}

    def _keys(self, number: int) -> Path:
        return self._folder / f"keys-{number}.pem"

    async def renew(self, number: int, listener: str, certificate: str, key: str) -> None:
        """Gives a node another certificate for its listener; connections that there are stay."""
        self._renewals += 1
        keys = self._folder / f"renewed-{self._renewals}.pem"
        keys.write_text(key + certificate)
        setting = f"listener.name.{listener.lower()}.ssl.keystore.location"
        resource = ConfigResource(ConfigResourceType.BROKER, str(number), {setting: str(keys)})
        async with administrator(self.bootstrap) as admin:
            for answer in await admin.alter_configs([resource]):
                for code, message, *_ in answer.resources:
                    if code:
                        raise for_code(code)(message)
        host, _, port = self.at[listener].split(",")[number - 1].rpartition(":")
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(ssl.get_server_certificate, (host, int(port))) != certificate:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
