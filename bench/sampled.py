"""`python -m bench.sampled FILE COMMAND...`: `parcelwatch COMMAND...`, and where its CPU time goes as JSON in FILE.

A timer of the process's CPU time interrupts it every two milliseconds. The stack then says in which stage it was: the
innermost frame that is known decides. No code is instrumented, and the interruptions themselves cost next to nothing.
"""

from __future__ import annotations

import json
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from streams.cli.main import main

EVERY = 0.002
START, FETCH, DECODE, STATE, RULES = "start", "fetch", "decode", "state", "rules"
COLLECT, SEND, STORE = "collect, encode", "send, commit", "store"
CLIENT, REST = "Kafka client", "event loop, Faust, rest"
STAGES = (START, FETCH, DECODE, STATE, RULES, COLLECT, SEND, STORE, CLIENT, REST)
#: Parts of a file's path, with a function of it or none, from the innermost frame outwards.
_KNOWN: tuple[tuple[str, str | None, str], ...] = (
    ("/schemas/", None, DECODE),
    ("/stages/intake", None, DECODE),
    ("/aiokafka/consumer/", None, FETCH),
    ("/aiokafka/record/", None, FETCH),
    ("/log/kafka_group", None, FETCH),
    ("/aiokafka/producer/", None, SEND),
    ("/log/kafka_writer", None, SEND),
    ("/log/kafka_sending", None, SEND),
    # What serves both ways: connections, protocol, the group.
    ("/aiokafka/", None, CLIENT),
    ("/engine/store/", None, STORE),
    ("/engine/changelog", None, STORE),
    ("/engine/task", "accept", STATE),
    ("/engine/task", "advance", RULES),
    ("/engine/task", "snapshot", COLLECT),
    ("/importlib", None, START),
    ("<frozen importlib", None, START),
)
#: Before there is a loop the process is starting.
_LOOP = "/asyncio/"


def stage(frame: FrameType | None) -> str:
    """The stage that the innermost known frame belongs to."""
    looping = False
    while frame is not None:
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        for part, function, found in _KNOWN:
            if part in path and (function is None or function == name):
                return found
        looping = looping or _LOOP in path
        frame = frame.f_back
    return REST if looping else START


def sample(counts: Counter[str]) -> None:
    """Counts the stages of this process from now on."""

    def look(_number: int, frame: FrameType | None) -> None:
        counts[stage(frame)] += 1

    signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)


def stop() -> None:
    """Looks no more."""
    signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    seen: Counter[str] = Counter()
    sample(seen)
    try:
        main(sys.argv[2:])
    finally:
        stop()
        Path(sys.argv[1]).write_text(json.dumps(seen))
