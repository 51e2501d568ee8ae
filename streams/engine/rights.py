"""Rights on the log, in the words of Kafka's access lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Operation = Literal["Read", "Write", "Create", "Delete", "Describe", "DescribeConfigs"]
Resource = Literal["topic", "group", "transactional-id", "cluster"]


class Right(NamedTuple):
    """The right to do one thing to one resource."""

    operation: Operation
    resource: Resource
    name: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}"


def grants(missing: Iterable[Right], who: str) -> str:
    """What is missing and the commands that grant it, in one line. `who`: the user's name at the brokers."""
    lacking = sorted(set(missing))
    by_resource: dict[tuple[Resource, str], list[str]] = {}
    for right in lacking:
        by_resource.setdefault((right.resource, right.name), []).append(right.operation)
    commands = "; ".join(
        f"kafka-acls --bootstrap-server HOST:PORT --add --allow-principal 'User:{who}'"
        + "".join(f" --operation {operation}" for operation in operations)
        + (" --cluster" if resource == "cluster" else f" --{resource} {name}")
        for (resource, name), operations in by_resource.items()
    )
    return f"the brokers deny {', '.join(map(str, lacking))}; to grant it: {commands}"
