"""Tokens for Amazon MSK with IAM, by Amazon's own signer: `pip install 'parcelwatch[msk]'`."""

from __future__ import annotations

import asyncio
import os
import time

from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

#: Seconds before its end at which a token is not used any more.
_MARGIN = 60.0


class MskTokens:
    """Signs for the region in `AWS_REGION`, with the credentials that Amazon's own tools would find."""

    def __init__(self) -> None:
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            raise ValueError("the region of the cluster is missing: set AWS_REGION")
        self._region = region
        self._token, self._ends = "", 0.0

    async def token(self) -> str:
        """One that is good for a while yet: they last for 15 minutes."""
        if time.time() > self._ends - _MARGIN:
            token, ends_ms = await asyncio.to_thread(MSKAuthTokenProvider.generate_auth_token, self._region)
            self._token, self._ends = token, ends_ms / 1000
        return self._token
