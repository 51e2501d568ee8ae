"""Runs the second policy in a process of its own, over the same input: on two cores it takes half the time.

The processes share nothing but the files: each reads and decodes all of them, at a tenth of the cost of the rules, and
neither waits for the other. Results are merged at the end and equal those of a single process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import nullcontext
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from rich.console import Console

from streams.compare.trial import Outcome, Run
from streams.engine.collector import collect_seldom
from streams.policy.model import Policy
from streams.replay.progress import reading
from streams.replay.reading import MissingInput, Source, inputs, read, size

#: Bytes; a smaller input is done before a second process would have started.
LEAST_BYTES = 16 << 20


class LostProcess(Exception):
    """The other process ended without a result: out of memory, or killed."""


def run(source: Source, policies: Sequence[Policy], until: int | None, console: Console) -> Run:
    """Reads all of the input under exactly two policies, with a progress bar. Raises MissingInput, LostProcess."""
    if size(source) < LEAST_BYTES or not _can_be_read_twice(source) or _cores() < 2:
        both = Run(policies)
        with reading(source, "compare", console) as lines:
            both.take(lines, until)
        return both
    first = Run(policies[:1])
    with _Other(source, policies[1], until) as other:
        with reading(source, "compare", console) as lines:
            first.take(lines, until)
        with console.status("the second policy") if console.is_terminal else nullcontext():
            counts, outcome = other.result()
    if counts != first.counts:
        raise MissingInput(f"{' '.join(map(str, inputs(source)))}: changed while it was read")
    first.outcomes.append(outcome)
    return first


def _can_be_read_twice(source: Source) -> bool:
    """Whether it is of files and folders, not of pipes."""
    return all(path.is_dir() or path.is_file() for path in inputs(source))


def _cores() -> int:
    """The number of cores available to this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Other:
    """The process of one policy, from `with` on; it does not outlive it."""

    def __init__(self, source: Source, policy: Policy, until: int | None) -> None:
        context = get_context("spawn")
        self._answer, there = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(there, source, policy, until), daemon=True)
        self._there = there

    def __enter__(self) -> _Other:
        self._process.start()
        # The only other end is the process's: when that is gone, so is the pipe.
        self._there.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()
        self._answer.close()

    def result(self) -> tuple[tuple[Any, ...], Outcome]:
        """The counts of its run, and what the policy has said."""
        try:
            said = self._answer.recv()
        except EOFError:
            self._process.join()
            raise LostProcess(
                f"the process of the second policy ended with {self._process.exitcode}: out of memory?"
            ) from None
        if isinstance(said, str):
            raise MissingInput(said)
        counts, outcome = said
        return counts, outcome


def _work(answer: Connection, source: Source, policy: Policy, until: int | None) -> None:
    """The other process: runs one policy and sends one result."""
    # Ctrl-C reaches both; the first says what there is to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    collect_seldom()
    alone = Run([policy])
    try:
        alone.take(read(source), until)
    except MissingInput as error:
        answer.send(str(error))
        return
    answer.send((alone.counts, alone.outcomes[0]))
