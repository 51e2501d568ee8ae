"""How well the phrase lists find what people see in real messages.

    python bench/detector/measure.py FOLDER [--policy NAME|FILE] [--errors | --everything]

FOLDER holds the two data sets of chats; `labels.csv` names each message by file, line and turn, and holds a hash of
its text to make sure of it. The messages themselves are no part of this project.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from streams.policy.load import BadPolicy, load
from streams.policy.model import Policy
from streams.rules.conversations.interventions import asks_for_staff
from streams.rules.conversations.topics import TOPICS, topic_of

LABELS = Path(__file__).with_name("labels.csv")
TUNING, TEST = "tuning", "test"


class Label(NamedTuple):
    """What a person said of one message: whether it asks for platform staff, and its topic (empty: not labelled)."""

    dataset: str
    file: str
    line: int
    turn: int
    hash: str
    intervention: bool
    topic: str
    drawn: str


class Message(NamedTuple):
    """A labelled message, its text, and what the detector says of it."""

    label: Label
    text: str
    intervention: bool
    topic: str


def labels() -> list[Label]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return [
            Label(
                row["dataset"], row["file"], int(row["line"]), int(row["turn"]), row["hash"],
                row["intervention"] == "yes", row["topic"], row["drawn"],
            )
            for row in csv.DictReader(file)
        ]  # fmt: skip


def halves(found: list[Label]) -> dict[str, list[Label]]:
    """Every second message, in the order of the hashes, once among those that ask for staff and once among the rest:
    the halves have as many of the rare ones, and nobody chose which.
    """
    result: dict[str, list[Label]] = {TUNING: [], TEST: []}
    for asks in (True, False):
        for index, label in enumerate(sorted((one for one in found if one.intervention is asks), key=lambda x: x.hash)):
            result[TEST if index % 2 else TUNING].append(label)
    return result


def turns_of(line: str, dataset: str) -> list[str]:
    """A line is the conversation so far: its turns joined by commas, or (`ecd`) a mark, then turns, then a reply."""
    return line.split(",") if dataset == "jddc" else line.split("\t")[:-1]


def texts(folder: Path, found: list[Label]) -> Iterator[str]:
    """The text of each label, in their order. Ends the program where a file is not the one that was labelled."""
    lines = {file: (folder / file).read_bytes() for file in {label.file for label in found}}
    split = {file: gzip.decompress(content).decode("utf-8").split("\n") for file, content in lines.items()}
    for label in found:
        text = turns_of(split[label.file][label.line - 1], label.dataset)[label.turn]
        if hashlib.sha256(text.encode()).hexdigest()[:12] != label.hash:
            sys.exit(f"{label.file}, line {label.line}, turn {label.turn} is not the message that was labelled")
        yield text


def wilson(hits: int, total: int, z: float = 1.959964) -> str:
    """A share with its 95 % Wilson interval."""
    if not total:
        return "    -                 "
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return f"{share:.3f} [{max(0.0, middle - half):.3f}, {min(1.0, middle + half):.3f}]"


def row(name: str, pairs: list[tuple[bool, bool]]) -> str:
    """One row of the table, of pairs (labelled, detected)."""
    both = sum(label and seen for label, seen in pairs)
    labelled, seen = sum(label for label, _ in pairs), sum(seen for _, seen in pairs)
    return f"  {name:<14}{labelled:>9}{seen:>10}{both:>7}   {wilson(both, seen)}   {wilson(both, labelled)}"


def judged(folder: Path, found: list[Label], policy: Policy) -> list[Message]:
    return [
        Message(
            label, text, asks_for_staff(text, policy.interventions), topic_of(text, policy.conversations.topics)
        )
        for label, text in zip(found, texts(folder, found), strict=True)
    ]  # fmt: skip


def report(name: str, messages: list[Message]) -> None:
    print(f"{name} half: {len(messages)} messages")
    print(f"  {'':<14}{'labelled':>9}{'detected':>10}{'both':>7}   {'precision':<22}   {'recall':<22}")
    print(row("intervention", [(m.label.intervention, m.intervention) for m in messages]))
    about = [m for m in messages if m.label.topic]
    for topic in TOPICS:
        print(row(topic, [(m.label.topic == topic, m.topic == topic) for m in about]))
    right = sum(m.label.topic == m.topic for m in about)
    print(f"  {'all topics':<14}{'':>26}   right {wilson(right, len(about))}")
    drawn = [m for m in messages if m.label.drawn == "random"]
    asking = sum(m.intervention for m in drawn)
    right = sum(m.label.topic == m.topic for m in drawn)
    print(
        f"  of {len(drawn)} drawn at random: {asking} taken for interventions, topics right {wilson(right, len(drawn))}"
    )
    print()


def errors(messages: list[Message]) -> None:
    for m in messages:
        if m.label.intervention != m.intervention:
            print(
                f"intervention: labelled {m.label.intervention}, {m.label.file}:{m.label.line}:{m.label.turn} {m.text}"
            )
    for m in messages:
        if m.label.topic and m.label.topic != m.topic:
            print(f"{m.label.topic}, not {m.topic}: {m.label.file}:{m.label.line}:{m.label.turn} {m.text}")


def everything(folder: Path, found: list[Label], policy: Policy) -> None:
    """How many of all different turns, buyers' and agents', are detected, and which of them nobody labelled."""
    known = {label.hash: label for label in found}
    datasets = {label.file: label.dataset for label in found}
    seen: set[str] = set()
    counts = {True: 0, False: 0}
    unlabelled = []
    for file, dataset in sorted(datasets.items()):
        for line, content in enumerate(gzip.decompress((folder / file).read_bytes()).decode("utf-8").split("\n"), 1):
            for turn, text in enumerate(turns_of(content, dataset)):
                if text in seen or (dataset == "ecd" and turn == 0):
                    continue
                seen.add(text)
                if asks_for_staff(text, policy.interventions):
                    label = known.get(hashlib.sha256(text.encode()).hexdigest()[:12])
                    if label is None:
                        unlabelled.append(f"{file}:{line}:{turn}")
                    else:
                        counts[label.intervention] += 1
    print(f"{len(seen)} different turns; detected: {counts[True]} labelled yes, {counts[False]} labelled no,")
    print(f"{len(unlabelled)} without a label (an agent's, as far as they were read):")
    print("\n".join(unlabelled))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder of the chats")
    parser.add_argument("--policy", default="default", help="the policy whose lists are measured")
    parser.add_argument("--errors", action="store_true", help="shows the errors of the tuning half, and of it alone")
    parser.add_argument("--everything", action="store_true", help="runs the detector over all turns of all files")
    arguments = parser.parse_args()
    try:
        policy = load(arguments.policy)
        if arguments.everything:
            everything(arguments.folder, labels(), policy)
            return
        found = halves(labels())
        started = time.perf_counter()
        results = {name: judged(arguments.folder, half, policy) for name, half in found.items()}
        took = time.perf_counter() - started
    except (BadPolicy, OSError) as error:
        sys.exit(str(error))
    if arguments.errors:
        errors(results[TUNING])
        return
    print(f"policy {policy.label}, {sum(map(len, results.values()))} messages in {took:.2f} s, reading included\n")
    for name, messages in results.items():
        report(name, messages)


if __name__ == "__main__":
    main()
