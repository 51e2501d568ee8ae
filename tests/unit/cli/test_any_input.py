"""Whatever a command is given, it ends with a status of its own and, where that is not 0, one printable line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.cli import main as cli
from streams.replay.packed import zstd

#: What turns up in names, texts and numbers that nobody has written by hand.
ODD = ["", " ", "\x00", "\x1b[2J", "\u202e", "\ud83d", "x" * 300, "../" * 100, "-", "--", "a\nb", "²", "NaN", "1e999",
       "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "[bold]", "{", "'", "%s", "${HOME}", "😀"]  # fmt: skip
TEXTS = st.sampled_from(ODD) | st.text(max_size=20)
TOPICS = ["orders", "logistics-scans", "chats"]
NAMES = ["type", "event_id", "occurred_at", "order_id", "shop_id", "tracking_no", "carrier", "status", "items",
         "kind", "ticket_id", "conversation_id", "sender", "text", "reason", "ship_by", "commitment_days"]  # fmt: skip
SIMPLE = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SIMPLE, lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXTS, one, max_size=3), max_leaves=6
)
EVENTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
LINES = st.one_of(
    st.builds(lambda topic, value: {"topic": topic, "value": value}, st.sampled_from([*TOPICS, "other"]), EVENTS),
    EVENTS,
    VALUES,
).map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)
CONTENTS = st.lists(LINES, max_size=6).map(b"\n".join)


def settle(arguments: list[str], content: bytes, suffix: str = ".jsonl") -> None:
    """Runs a command on a file IN of this content, in a folder of its own."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"in{suffix}"
        file.write_bytes(content)
        before = os.getcwd()
        os.chdir(folder)
        try:
            done = CliRunner().invoke(_main, [file.name if one == "IN" else one for one in arguments])
        finally:
            os.chdir(before)
    assert isinstance(done.exception, SystemExit | None), done.exception
    assert done.exit_code in (0, 1, 2), (done.exit_code, done.output)
    assert "Traceback" not in done.output
    if done.exit_code:
        told = done.stderr.splitlines()
        # Without a command of its own, a group shows its help.
        assert told[-1].startswith("parcelwatch: ") or told[0].startswith("Usage: "), done.output
        assert told[-1].isprintable()
    assert "\x1b" not in done.output


class _Main:
    """The program as a command of the test runner's."""

    name = "parcelwatch"

    def main(self, args: list[str], **_: Any) -> None:
        cli.main(list(args))


_main: Any = _Main()
TWO = ["--policy", "default", "--policy", "tmall-2026"]
READING = [["replay", "IN"], ["compare", "IN", *TWO], ["compare", "IN", *TWO, "--json", "out.json"],
           ["explain", "A", "IN"], ["explain", "A", "IN", "--json"], ["adapt", "kuaidi100", "IN"],
           ["adapt", "history", "IN"]]  # fmt: skip


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
@settings(deadline=None, max_examples=20)
@given(CONTENTS)
def test_any_content_of_a_file(arguments: list[str], content: bytes) -> None:
    settle(arguments, content)


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".json", ".csv"])
@settings(deadline=None, max_examples=20)
@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_under_any_name(suffix: str, content: bytes, packed: bool) -> None:
    whole = zstd.compress(content) if packed and suffix.endswith("zst") else content
    settle(["replay", "IN"], whole, suffix)
    settle(["adapt", "history", "IN"], whole, suffix)


SETTINGS = st.dictionaries(
    st.sampled_from(["extends", "name", "orders", "sources", "help_rate", "x"]), VALUES, max_size=4
)
PIECES = ["a: ", "- ", "&a ", "*a", "!!timestamp ", "!!binary ", "foo", "\n", "[", "{", "? ", "<<: ", "extends = ",
          '"a\\u0000b"', "[orders]", "1e999", "2026-13-45", "ship_by_hours", "=", "'"]  # fmt: skip
POLICIES = st.one_of(
    SETTINGS.map(lambda value: json.dumps(value).encode()),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda parts: "".join(parts).encode()),
    st.binary(max_size=40),
)


@pytest.mark.parametrize("suffix", [".yaml", ".toml"])
@settings(deadline=None, max_examples=20)
@given(POLICIES)
def test_any_policy(suffix: str, content: bytes) -> None:
    settle(["policy", "check", "IN"], content, suffix)
    settle(["policy", "show", "IN", "--json"], content, suffix)
    settle(["policy", "diff", "default", "IN"], content, suffix)


CONNECTING = {name for name in cli.COMMANDS if any("--broker" in one.opts for one in cli.command_of(name).params)}
WORDS = ["IN", "--policy", "--until", "--out", "--json", "--broker", "--kind", "--lang", "show", "check", "kuaidi100",
         "--tz", "--order", "--help"]  # fmt: skip
# A system hands over bytes: halves of surrogate pairs cannot be among its arguments.
ARGUMENTS = TEXTS.map(lambda text: os.fsdecode(text.encode("utf-8", "ignore"))) | st.sampled_from(WORDS)


@pytest.mark.parametrize("command", sorted(set(cli.COMMANDS) - {"demo"}))
@settings(deadline=None, max_examples=20)
@given(st.lists(ARGUMENTS, max_size=5))
def test_any_arguments(command: str, arguments: list[str]) -> None:
    # Nothing may be connected to: what would be ends at the address.
    settle([command, *arguments, *(["--broker", "nowhere"] if command in CONNECTING else [])], b'{"topic":"orders"}')
