"""The blind test of the detector: messages that were drawn and labelled by a person who had not seen the phrase lists.

    python bench/detector/blind.py FOLDER OTHER [--policy NAME|FILE] [--errors]

FOLDER holds the two data sets of `measure.py`, OTHER four files of JD's dialogues that were in neither
(`docs/detector.md` tells where they are). `blind.csv` names real messages, and holds none; `written.csv` holds messages
that the labeller made up, for marketplaces and wordings that the data lack, `border.csv` such as mislead.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from measure import TEST, TUNING, row, turns_of

from streams.policy.load import BadPolicy, load
from streams.policy.model import Policy
from streams.rules.conversations.interventions import asks_for_staff
from streams.rules.conversations.topics import TOPICS, topic_of

BLIND = Path(__file__).with_name("blind.csv")
#: Those written for the blind test, and those written since, near the border: of the kinds that misled the lists.
WRITTEN = [Path(__file__).with_name(name) for name in ("written.csv", "border.csv")]
#: The dialogues with a speaker beside each turn: `session, user, from the shop?, ..., text`.
_WITH_SPEAKERS = "jddc-chat"
#: A whole dialogue in a line, the speaker before each turn.
_DIALOGUES = "csds"
_TURN = re.compile("(?<=。)(?=用户:|商家:|客服:)")


class Case(NamedTuple):
    """A labelled message and what the detector says. `topic` is empty where nobody labelled it.

    `stratum`: what it was drawn from; `weight`: how many messages of that it stands for.
    """

    text: str
    asks: bool
    topic: str
    stratum: str
    weight: float
    seen: bool
    seen_topic: str


def half(text: str) -> str:
    """The half of a message: a hash decides, so it was settled before anything was measured."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return TEST if int(hashlib.sha256(digest.encode()).hexdigest(), 16) % 2 == 0 else TUNING


def real(folders: list[Path], policy: Policy) -> Iterator[Case]:
    """The labelled real messages. Ends the program where a file is not the one that was labelled."""

    @cache
    def lines(name: str) -> list[str]:
        path = next((folder / name for folder in folders if (folder / name).exists()), None)
        if path is None:
            sys.exit(f"{name} is in none of the folders")
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8").split("\n")

    with BLIND.open(encoding="utf-8", newline="") as file:
        for found in csv.DictReader(file):
            line = lines(found["file"])[int(found["line"]) - 1]
            if found["dataset"] == _WITH_SPEAKERS:
                text = line.split("\t")[6]
            elif found["dataset"] == _DIALOGUES:
                text = _TURN.split(line)[int(found["turn"])].partition(":")[2].removesuffix("。")
            else:
                text = turns_of(line, "ecd" if found["dataset"] == "ecd" else "jddc")[int(found["turn"])]
            if hashlib.sha256(text.encode()).hexdigest()[:12] != found["hash"]:
                sys.exit(f"{found['file']}, line {found['line']} is not the message that was labelled")
            stratum = f"{found['dataset']} {found['drawn']}"
            yield case(text, found["intervention"], found["topic"], stratum, float(found["weight"]), policy)


def written(policy: Policy) -> Iterator[Case]:
    for path in WRITTEN:
        with path.open(encoding="utf-8", newline="") as file:
            for found in csv.DictReader(file):
                yield case(found["text"], found["intervention"], "", path.stem, 1.0, policy)


def case(text: str, intervention: str, topic: str, stratum: str, weight: float, policy: Policy) -> Case:
    seen, seen_topic = asks_for_staff(text, policy.interventions), topic_of(text, policy.conversations.topics)
    return Case(text, intervention == "yes", topic, stratum, weight, seen, seen_topic)


def weighted_right(cases: Iterable[Case]) -> str:
    """The share of right topics among all messages that the sample stands for, with a 95 % interval."""
    strata: dict[str, list[Case]] = defaultdict(list)
    for one in cases:
        strata[one.stratum].append(one)
    sizes = {name: sum(one.weight for one in drawn) for name, drawn in strata.items()}
    total = sum(sizes.values())
    share = variance = 0.0
    for name, drawn in strata.items():
        right = sum(one.topic == one.seen_topic for one in drawn) / len(drawn)
        share += sizes[name] / total * right
        variance += (sizes[name] / total) ** 2 * right * (1 - right) / len(drawn)
    spread = 1.959964 * math.sqrt(variance)
    return f"{share:.3f} [{max(0.0, share - spread):.3f}, {min(1.0, share + spread):.3f}]"


def report(name: str, real_cases: list[Case], written_cases: list[Case]) -> None:
    print(f"{name} half: {len(real_cases)} real messages, {len(written_cases)} written ones")
    print(f"  {'':<14}{'labelled':>9}{'detected':>10}{'both':>7}   {'precision':<22}   {'recall':<22}")
    parts = {"real": real_cases}
    parts |= {path.stem: [one for one in written_cases if one.stratum == path.stem] for path in WRITTEN}
    for label, cases in parts.items():
        print(row(label, [(one.asks, one.seen) for one in cases]))
    drawn = [one for one in real_cases if one.topic]
    asking, seen = sum(one.asks for one in drawn), sum(one.seen for one in drawn)
    print(f"  of {len(drawn)} drawn at random: {asking} ask, {seen} taken for interventions")
    for topic in TOPICS:
        print(row(topic, [(one.topic == topic, one.seen_topic == topic) for one in drawn]))
    print(f"  {'all topics':<14}{'':>26}   right {weighted_right(drawn)}, weighted to all messages")
    print()


def errors(cases: Iterable[Case]) -> None:
    for one in cases:
        if one.asks != one.seen:
            print(f"intervention: labelled {one.asks}: {one.text}")
        if one.topic and one.topic != one.seen_topic:
            print(f"{one.topic}, not {one.seen_topic}: {one.text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs=2, metavar="FOLDER", help="where the labelled files are")
    parser.add_argument("--policy", default="default", help="the policy whose lists are measured")
    parser.add_argument("--errors", action="store_true", help="shows the errors of the tuning half, and of it alone")
    arguments = parser.parse_args()
    try:
        policy = load(arguments.policy)
        real_cases, written_cases = list(real(arguments.folders, policy)), list(written(policy))
    except (BadPolicy, OSError) as error:
        sys.exit(str(error))
    if arguments.errors:
        errors(one for one in [*real_cases, *written_cases] if half(one.text) == TUNING)
        return
    print(f"policy {policy.label}, {len(real_cases)} real messages, {len(written_cases)} written ones\n")
    for name in (TUNING, TEST):
        report(
            name,
            [one for one in real_cases if half(one.text) == name],
            [one for one in written_cases if half(one.text) == name],
        )


if __name__ == "__main__":
    main()
