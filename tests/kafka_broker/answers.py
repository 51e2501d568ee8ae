"""What stands between clients and a node, and may hold or lose the answers to requests of some kinds.

A request is carried on at once, so the node does what it asks for; what is told of it comes late, or never.
"""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

#: Kafka's numbers of the requests that are told apart here.
KEYS = {
    "Produce": 0,
    "Fetch": 1,
    "OffsetFetch": 9,
    "JoinGroup": 11,
    "Heartbeat": 12,
    "SyncGroup": 14,
    "InitProducerId": 22,
    "AddPartitionsToTxn": 24,
    "AddOffsetsToTxn": 25,
    "EndTxn": 26,
    "TxnOffsetCommit": 28,
}
_NAMES = {key: name for name, key in KEYS.items()}


@dataclass(slots=True)
class Rule:
    """For the next `left` answers of a kind: each comes `seconds` later; with None it is lost, and the connection."""

    request: str
    left: int
    seconds: float | None = None


@dataclass(slots=True)
class Rules:
    """What happens to answers from now on; `done` counts what has happened."""

    rules: list[Rule] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)

    def add(self, rule: Rule) -> None:
        self.rules.append(rule)

    def clear(self) -> None:
        self.rules.clear()

    def applies(self, key: int) -> Rule | None:
        """The rule for an answer to such a request, which is used up by it."""
        name = _NAMES.get(key)
        for rule in self.rules:
            if rule.request == name:
                rule.left -= 1
                if not rule.left:
                    self.rules.remove(rule)
                self.done[name] += 1
                return rule
        return None


class Answers:
    """Carries connections to `address` on to `target`, both "HOST:PORT"."""

    def __init__(self, address: str, target: str, rules: Rules) -> None:
        self.address = address
        self._target = target
        self._rules = rules
        #: While it is cut off, nobody gets through, and who was through has lost the connection.
        self._cut_off = False
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        host, _, port = self.address.rpartition(":")
        self._server = await asyncio.start_server(self._connected, host, int(port))

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut_off()

    def cut_off(self) -> None:
        self._cut_off = True
        for task in self._carrying:
            task.cancel()

    def join(self) -> None:
        """Ends `cut_off`."""
        self._cut_off = False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        host, _, port = self._target.rpartition(":")
        try:
            if self._cut_off:
                raise ConnectionRefusedError
            there, back = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.close()
            self._carrying.discard(task)
            return
        asked: dict[int, int] = {}
        both = [
            asyncio.create_task(self._requests(reader, back, asked)),
            asyncio.create_task(self._answers(there, writer, asked)),
        ]
        try:
            # Either end's end is the other's.
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in both:
                each.cancel()
            writer.close()
            back.close()
            self._carrying.discard(task)

    @staticmethod
    async def _requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict[int, int]) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader)
                key, _, correlation = struct.unpack_from(">hhi", frame, 4)
                asked[correlation] = key
                writer.write(frame)
                await writer.drain()

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: dict[int, int]) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(reader)
                (correlation,) = struct.unpack_from(">i", frame, 4)
                rule = self._rules.applies(asked.pop(correlation, -1))
                if rule is not None:
                    if rule.seconds is None:
                        return
                    await asyncio.sleep(rule.seconds)
                writer.write(frame)
                await writer.drain()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One request or answer, with its length before it."""
    head = await reader.readexactly(4)
    return head + await reader.readexactly(struct.unpack(">i", head)[0])
