"""How test cases are named."""

from __future__ import annotations


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes that are no text have the name of their parameter.

    Processes that share tests must name them alike, and what is packed in one second differs from what is in the next.
    """
    is_packed = isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable())
    return argname if is_packed else None
