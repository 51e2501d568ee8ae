"""Files that a person writes, and what parcelwatch reads back from Kafka: anyone who may write there may have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from schemas.topics import ALERTS, DEAD_LETTERS
from streams.adapt import format_of, settings_for
from streams.adapt.lines import Report
from streams.adapt.run import InputError, adapt_body
from streams.console.store import CATEGORY_BASELINES, HELP_RATES, Store
from streams.engine import assignor, envelopes, notes, offset_texts
from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Record
from streams.notify.alert import NoAlertError, read_alert
from streams.policy import load
from streams.policy.estimates import BadModel, read_model
from streams.redrive.letters import letter, redriven
from tests.fuzz.pieces import choice, headers_in, parts

#: What a format that somebody wrote is tried on.
_BODY = b'{"data":[{"nu":"T1","com":"ZTO","time":"2026-03-04 18:10:00","status":"x","context":"y"}]}'


def policy(folder: Path) -> Callable[[bytes], None]:
    """A policy in TOML or YAML: a policy, or one printable line."""
    paths = [folder / "in.toml", folder / "in.yaml"]

    def door(data: bytes) -> None:
        which, content = choice(data, len(paths))
        paths[which].write_bytes(content)
        try:
            found = load.load(str(paths[which]))
        except load.BadPolicy as bad:
            _one_line(str(bad))
        else:
            assert found.version

    return door


def description(folder: Path) -> Callable[[bytes], None]:
    """A format, or a model of deliveries, that a file describes: it can be used, or one line says why not."""
    paths = [folder / "in.toml", folder / "model.json"]

    def door(data: bytes) -> None:
        which, content = choice(data, len(paths))
        paths[which].write_bytes(content)
        try:
            if which:
                read_model(str(paths[which]))
            else:
                chosen = format_of(str(paths[which]))
                list(adapt_body(chosen, _BODY, settings_for(chosen), Report()))
        except (BadModel, InputError) as bad:
            _one_line(str(bad))

    return door


def _one_line(text: str) -> None:
    assert text.splitlines() == [text], f"not one line: {text!r}"


def _letter(data: bytes) -> None:
    """A dead letter to be redriven, with any headers."""
    source = TopicPartition("orders.dlq", 0)
    record = Record(7, 0, b"A", b"{}", headers_in(data))
    found = letter(source, record, "orders")
    if found is not None:
        assert 0 <= found.original.offset < 1 << 63, "no offset of a log"
        assert 0 <= found.original.source.partition < 1 << 31, "no partition of a topic"
        redriven(found, record, 0)


def _envelope(data: bytes) -> None:
    with suppress(FatalError, msgspec.DecodeError):
        envelopes.unpack(data)


def _note(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    notes.read(text)
    offset_texts.catching_up_of(text)


def _member(data: bytes) -> None:
    assignor._read(data)


def _alert(data: bytes) -> None:
    with suppress(NoAlertError):
        read_alert(data)


_STORE = Store()
_SHOWN = (ALERTS["merchant"], HELP_RATES, CATEGORY_BASELINES, DEAD_LETTERS["orders"], "logistics-scans")


def _shown(data: bytes) -> None:
    """A record that the console shows."""
    which, rest = choice(data, len(_SHOWN))
    value, key, headers = parts(rest, 3)
    record = Record(0, 1, key, value, headers_in(headers))
    before = _STORE.unreadable
    _STORE.put(_SHOWN[which], TopicPartition(_SHOWN[which], 0), [record])
    if _SHOWN[which] in DEAD_LETTERS.values():
        assert _STORE.unreadable == before, "a dead letter that is not shown"


_BACK: tuple[Callable[[bytes], None], ...] = (_letter, _envelope, _note, _member, _alert, _shown)


def internal(data: bytes) -> None:
    """What is read back from Kafka: letters, envelopes, notes beside offsets, members' data, alerts, tables."""
    which, rest = choice(data, len(_BACK))
    _BACK[which](rest)
