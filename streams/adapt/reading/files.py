"""A file's bytes, unpacked, and its text in whatever encoding it was written."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from pathlib import Path

_GZIP = b"\x1f\x8b"
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_CHINESE = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef·—…“”‘’]")
_SPOILT = 0.05
"""The share of characters beyond ASCII that may be spoilt in a text that is otherwise UTF-8."""


LARGEST = 256 << 20
"""Bytes up to which a packed file is unpacked: a few bytes may hold any number of them."""


class Unreadable(Exception):
    """A file whose content is none of what can be read; the message says what it is and what to do."""


def read_bytes(path: Path) -> bytes:
    """A file's content, unpacked where it is gzipped. OSError where it cannot be read or unpacked, or is too large."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        if not packed:
            return file.read()
        try:
            with gzip.GzipFile(fileobj=file) as unpacking:
                content = unpacking.read(LARGEST + 1)
        except (EOFError, zlib.error) as error:
            raise OSError(f"broken gzip: {error}") from error
    if len(content) > LARGEST:
        raise OSError(f"holds more than {LARGEST >> 20} MiB: unpack it yourself, if that is meant")
    return content


def text_of_bytes(raw: bytes) -> str:
    """The text in `raw`: UTF-8, UTF-16 with its mark, GBK (GB 18030), else Windows' Western encoding.

    Unreadable where it is no text.
    """
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(name, errors="replace")
    if b"\x00" in raw:
        raise Unreadable("is no text: neither UTF-8 nor GBK; convert it first")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    almost = raw.decode("utf-8", errors="replace")
    if almost.count("\ufffd") <= _SPOILT * len(_NOT_ASCII.findall(almost)):
        return almost
    try:
        chinese = raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
    foreign = _NOT_ASCII.findall(chinese)
    if sum(bool(_CHINESE.match(char)) for char in foreign) * 2 >= len(foreign):
        return chinese
    return raw.decode("cp1252", errors="replace")
