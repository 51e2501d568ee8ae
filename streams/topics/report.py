"""What was found, in lines for the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from streams.engine.log.interface import TopicSpec

DAY_MS = 86_400_000


class Found(NamedTuple):
    """A topic as the broker has it."""

    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome by topic: created (in a dry run: to be created), as wanted, or in disagreement."""

    created: tuple[TopicSpec, ...]
    agreeing: tuple[str, ...]
    disagreements: tuple[str, ...]
    dry_run: bool
    #: What to do about the disagreements.
    remedies: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        """Whether nothing that exists is other than wanted."""
        return not self.disagreements

    def lines(self) -> Iterator[str]:
        """One line a topic created and a disagreement, and one for all that agree."""
        done = "would create" if self.dry_run else "created"
        for spec in self.created:
            yield f"{done} {spec.topic}: {spec.partitions} partitions, {policy(spec.config)}"
        if self.agreeing:
            yield f"as wanted: {', '.join(self.agreeing)}"
        for line in self.disagreements:
            yield f"disagrees: {line}"
        for line in self.remedies:
            yield f"to mend it: {line}"


def disagreements(spec: TopicSpec, found: Found) -> list[str]:
    """What of an existing topic is other than wanted, one line each."""
    lines = []
    if found.partitions != spec.partitions:
        lines.append(f"{spec.topic} has {found.partitions} partitions, wanted {spec.partitions}")
    wanted = {"cleanup.policy": "delete"} | dict(spec.config)
    for name, value in wanted.items():
        # The order of the policies in "compact,delete" means nothing.
        there = found.config.get(name, "")
        if set(there.split(",")) != set(value.split(",")):
            lines.append(f"{spec.topic} has {setting(name, there)}, wanted {setting(name, value)}")
    return lines


def remedies(spec: TopicSpec, found: Found, internal: bool) -> list[str]:
    """What to do about the disagreements of one topic."""
    lines = []
    if found.partitions != spec.partitions:
        lines.append(
            f"stop the workers, take {spec.topic} away with `parcelwatch reset`, and run this again"
            if internal
            else f"create {spec.topic} anew with {spec.partitions} partitions, or ask for {found.partitions}"
        )
    wanted = {"cleanup.policy": "delete"} | dict(spec.config)
    wrong = [f"{name}=[{value}]" if "," in value else f"{name}={value}" for name, value in wanted.items()
             if set(found.config.get(name, "").split(",")) != set(value.split(","))]  # fmt: skip
    if wrong:
        lines.append(
            f"kafka-configs.sh --alter --entity-type topics --entity-name {spec.topic} --add-config {','.join(wrong)}"
        )
    return lines


def policy(config: Mapping[str, str]) -> str:
    """How long a topic keeps its records, in words."""
    if config.get("cleanup.policy") == "compact":
        return "compacted"
    return f"kept {duration(config['retention.ms'])}" if "retention.ms" in config else "kept as the broker does"


def setting(name: str, value: str) -> str:
    return f"{name} {value} ({duration(value)})" if name.endswith(".ms") else f"{name} {value}"


def duration(milliseconds: str) -> str:
    """For example "180 days", "for ever" for -1 and for what is as good as that."""
    count = int(milliseconds or 0)
    if not 0 <= count < 100_000 * DAY_MS:
        return "for ever"
    return f"{count / DAY_MS:g} days"
