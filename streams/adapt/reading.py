"""Files of JSON: one object, a list of objects, or an object a line; plain or gzipped."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from streams.adapt.lines import Report

_DEEPEST = 24
"""Levels of wrapping that are searched."""


class Found(NamedTuple):
    """A piece of a document, and where it is (`line 3: data[0]`)."""

    where: str
    value: Any


def read_bytes(path: Path) -> bytes:
    """A file's content, unpacked where it is gzipped. OSError where it cannot be read or unpacked."""
    raw = path.read_bytes()
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error) as error:
        raise OSError(f"broken gzip: {error}") from error


def documents(path: Path, report: Report) -> Iterator[Found]:
    """The JSON documents of a file: all of it as one, else each line as one. What is no JSON is a problem."""
    try:
        raw = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        report.problem(path, "", f"cannot be read: {error.strerror or error}")
        return
    if not raw.strip():
        report.problem(path, "", "is empty")
        return
    try:
        whole = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        yield from _by_line(path, raw, str(error), report)
    else:
        yield Found("", whole)


def _by_line(path: Path, raw: bytes, as_one: str, report: Report) -> Iterator[Found]:
    bad: list[tuple[str, str]] = []
    good = 0
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        where = f"line {number}"
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            bad.append((where, f"not JSON: {error}"))
            continue
        if not isinstance(value, dict | list):
            bad.append((where, "not an object"))
            continue
        good += 1
        for where_bad, what in bad:
            report.problem(path, where_bad, what)
        bad.clear()
        yield Found(where, value)
    if not good:
        # A broken document over many lines is one problem, not one a line.
        report.problem(path, "", f"not JSON: {as_one}")
        return
    for where_bad, what in bad:
        report.problem(path, where_bad, what)


def objects(document: Found, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[Found]:
    """The objects in a document that are `wanted`, in order, however wrapped; none inside another."""
    yield from _search(document.value, document.where, "", wanted, 0)


def _search(value: Any, at: str, path: str, wanted: Callable[[dict[str, Any]], bool], depth: int) -> Iterator[Found]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        if wanted(value):
            yield Found(": ".join(part for part in (at, path) if part), value)
            return
        for key, inner in value.items():
            yield from _search(inner, at, f"{path}.{key}" if path else key, wanted, depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _search(inner, at, f"{path}[{index}]", wanted, depth + 1)
