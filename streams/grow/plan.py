"""The old and the new application, and the names of their topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schemas.topics import INPUTS, OUTPUTS, TopicNames
from streams.engine.errors import FatalError
from streams.engine.log.interface import TopicSpec
from streams.engine.processor import Dataflow
from streams.policy.model import Policy
from streams.stages.dataflow import dataflow
from streams.stages.intake import Partitioner
from streams.topics.desired import Settings, external

#: Header on every copied record: topic/partition/offset of the original.
COPIED_FROM = "parcelwatch-copied-from"
#: The text of an offset of the copying group once the hand-over is done.
HANDED_OVER = "handed-over"
_FOR_EVER = {"cleanup.policy": "delete", "retention.ms": "-1"}


@dataclass(frozen=True, slots=True)
class Growth:
    """`partitions`: by kind of task, of the new inputs; a kind that is not named keeps its number.

    `incomplete`: whether the inputs may have lost their beginning.
    """

    app_id: str
    topics: TopicNames
    new_app_id: str
    new_topics: TopicNames
    policy: Policy
    partitioner: Partitioner
    partitions: Mapping[str, int] = field(default_factory=dict)
    incomplete: bool = False

    def check(self) -> None:
        """Raises `FatalError` if both applications have the id or a topic in common."""
        if self.app_id == self.new_app_id:
            raise FatalError("--to-app-id: the new application needs an id of its own")
        every = (*INPUTS, *OUTPUTS)
        if both := set(self.topics.all(every)) & set(self.new_topics.all(every)):
            raise FatalError(
                f"--to-prefix, --to-topics: the new application needs topics of its own; both have {min(both)}"
            )

    @property
    def group(self) -> str:
        """The group that the copying commits its positions for, and its transactional id."""
        return f"{self.new_app_id}-grow"

    @property
    def muted(self) -> TopicNames:
        """The topic names for the new application's output while it is muted."""
        return self.new_topics.muted(self.new_app_id)

    @property
    def old_flow(self) -> Dataflow:
        return dataflow(self.policy, self.topics)

    @property
    def new_flow(self) -> Dataflow:
        return dataflow(self.policy, self.new_topics)

    def counts(self, present: Mapping[str, int]) -> dict[str, int]:
        """The partitions of the new inputs by kind of task. `present`: of the old ones. Raises `FatalError`."""
        if missing := [topic for topic in self.topics.all(INPUTS) if topic not in present]:
            raise FatalError(f"topics do not exist: {', '.join(missing)}")
        return {
            kind.name: self.partitions.get(kind.name, present[kind.inputs[0].topic]) for kind in self.old_flow.kinds
        }

    def inputs(self, counts: Mapping[str, int]) -> list[TopicSpec]:
        """The new inputs."""
        named = set(self.new_topics.all(INPUTS))
        return [spec for spec in self._external(counts) if spec.topic in named]

    def outputs(self, counts: Mapping[str, int]) -> list[TopicSpec]:
        """The new outputs. They do not exist before the hand-over, so no worker can emit early."""
        named = set(self.new_topics.all(OUTPUTS))
        return [spec for spec in self._external(counts) if spec.topic in named]

    def muted_outputs(self) -> Iterator[TopicSpec]:
        """The topics muted workers write to; of one partition each, so that they are ordered."""
        for name in OUTPUTS:
            yield TopicSpec(self.muted[name], 1, _FOR_EVER)

    def _external(self, counts: Mapping[str, int]) -> list[TopicSpec]:
        settings = Settings(app_id=self.new_app_id, dataflow=self.new_flow, topics=self.new_topics)
        return external(settings, counts, {})
