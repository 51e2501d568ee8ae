"""The format of an application's internal topics: changelog rows, the processors' included, and envelopes.

A task of this version goes on from what a version of format `OLDEST` or later wrote, and writes `FORMAT`. From then on
its changelog says so, and versions of an older format refuse it.
"""

from __future__ import annotations

from streams.engine.errors import FatalError

#: Raise it with each change that an older version would misread. 1 is that of 0.1.0.
FORMAT = 2
#: The oldest format that is read. Readers tell rows and records of older formats by their form.
OLDEST = 1

#: What to do if a changelog is unusable.
REMEDY = "begin anew with parcelwatch reset, or under another --app-id"


def check_format(what: str, found: int, remedy: str = REMEDY) -> None:
    """Raises `FatalError` if a format cannot be read. `what`: the changelog or edge that has it, for the message."""
    if OLDEST <= found <= FORMAT:
        return
    if found > FORMAT:
        raise FatalError(
            f"{what} was written by a newer version, in format {found}; this one knows {OLDEST} to {FORMAT}: run that "
            f"version or a later one, or {remedy}"
        )
    raise FatalError(
        f"{what} was written by an older version, in format {found}; this one knows {OLDEST} to {FORMAT}: {remedy}"
    )
