"""How clients authenticate, as AsyncAPI's security schemes: what `--sasl-mechanism` and `--ssl-certfile` offer."""

from __future__ import annotations

SCHEMES = {
    "plain": {"type": "plain", "description": "`--sasl-mechanism PLAIN`."},
    "scram-sha-256": {"type": "scramSha256", "description": "`--sasl-mechanism SCRAM-SHA-256`."},
    "scram-sha-512": {"type": "scramSha512", "description": "`--sasl-mechanism SCRAM-SHA-512`."},
    "oauthbearer": {
        "type": "http", "scheme": "bearer",
        "description": "`--sasl-mechanism OAUTHBEARER` with a token provider, Amazon MSK's for instance.",
    },
    "certificate": {"type": "X509", "description": "A client certificate: `--ssl-certfile` and `--ssl-keyfile`."},
}  # fmt: skip
