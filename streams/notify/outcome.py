"""What became of an attempt to send a message."""

from __future__ import annotations

from typing import Literal, NamedTuple

#: `accepted`: the channel has taken it. `refused`: it has not, and may later. `limited`: likewise, as too much came.
#: `rejected`: it will never take this message. `uncertain`: nobody knows whether it has.
Verdict = Literal["accepted", "refused", "limited", "rejected", "uncertain"]


class Outcome(NamedTuple):
    """`why`: for the operator, in a few words, without an address or a secret. `after`: seconds that it asks for."""

    verdict: Verdict
    why: str = ""
    after: float | None = None


#: HTTP statuses of a message that is at fault itself.
_OF_THE_MESSAGE = frozenset({400, 413, 415, 422})
#: The longest wait that a channel may ask for, in seconds.
_LONGEST = 3600.0


def of_status(status: int, retry_after: str | None) -> Outcome:
    """The outcome by an HTTP status alone. `retry_after`: the header's value; dates are not understood."""
    after = min(float(retry_after), _LONGEST) if retry_after is not None and retry_after.isdecimal() else None
    if 200 <= status < 300:
        return Outcome("accepted")
    why = f"HTTP {status}"
    if status == 429 or (status == 503 and after is not None):
        return Outcome("limited", why, after)
    if status in _OF_THE_MESSAGE:
        return Outcome("rejected", why)
    return Outcome("refused", why, after)
