"""Compares the broker's topics with those required, and creates missing ones."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from streams.engine.errors import DeniedError, FatalError
from streams.engine.log.interface import TopicSpec
from streams.engine.log.kafka_refusal import unless_refused
from streams.engine.log.kafka_rights import denied_by, user_of
from streams.engine.rights import Right, grants
from streams.topics.desired import INPUT_PARTITIONS, Settings, external, internal
from streams.topics.report import Found, Report, disagreements, remedies

#: Seconds for all brokers to learn of new topics.
_KNOWN = 30.0


async def ensure(
    bootstrap: str, settings: Settings, dry_run: bool = False, client: Mapping[str, Any] | None = None
) -> Report:
    """Creates missing topics on the brokers at `bootstrap` ("HOST:PORT,..."); a dry run creates nothing.

    `client`: arguments for the Kafka client (security). Existing topics are compared, never changed. Raises
    `FatalError` if the brokers do not answer or refuse.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","), **(client or {}))
    try:
        await unless_refused(admin.start(), bootstrap, client or {})
        return await _ensure(admin, settings, dry_run)
    except KafkaConnectionError:
        raise FatalError(f"no broker answers at {bootstrap}") from None
    except DeniedError as error:
        raise FatalError(grants(error.rights, user_of(client or {}))) from error
    except (KafkaError, OSError) as error:
        if denied := denied_by(error, "Describe"):
            raise FatalError(grants(denied, user_of(client or {}))) from error
        raise FatalError(f"topics on {bootstrap}: {str(error) or type(error).__name__}") from error
    finally:
        await admin.close()


async def _ensure(admin: AIOKafkaAdminClient, settings: Settings, dry_run: bool) -> Report:
    present = await _partitions(admin)
    counts, problems = resolve(settings, present)
    specs = external(settings, counts, present)
    if not problems:
        specs += internal(settings, counts)
    missing = [spec for spec in specs if spec.topic not in present]
    created = missing if dry_run else await _create(admin, missing, settings.replication_factor)
    known = {spec.topic for spec in missing} if dry_run else {spec.topic for spec in created}
    compared = [spec for spec in specs if spec.topic not in known]
    found = await _describe(admin, [spec.topic for spec in compared])
    lines = {spec.topic: disagreements(spec, found[spec.topic]) for spec in compared}
    own = {spec.topic for spec in internal(settings, counts)}
    mend = [line for spec in compared for line in remedies(spec, found[spec.topic], spec.topic in own)]
    if problems:
        mend.insert(0, "the partitions of an input stay as they are for an application id: create topics anew, "
                       "with --app-id of a new name")  # fmt: skip
    return Report(
        created=tuple(created),
        agreeing=tuple(topic for topic, differing in lines.items() if not differing),
        disagreements=(*problems, *(line for differing in lines.values() for line in differing)),
        dry_run=dry_run,
        remedies=tuple(mend),
    )


def resolve(settings: Settings, present: Mapping[str, int]) -> tuple[dict[str, int], list[str]]:
    """The partitions of each kind of task, by what exists, and a line for each kind that cannot work.

    Internal topics have to fit the inputs as they are, so what exists counts for more than what is asked for.
    """
    counts, problems = {}, []
    for kind in settings.dataflow.kinds:
        there = {item.topic: present[item.topic] for item in kind.inputs if item.topic in present}
        asked = settings.partitions.get(kind.name)
        if len(set(there.values())) > 1:
            listed = " and ".join(f"{topic} {count}" for topic, count in there.items())
            problems.append(f"topics that are read together need equally many partitions: {listed}")
        found = next(iter(there.values()), None)
        if asked is not None and found is not None and asked != found:
            problems.append(f"{', '.join(there)}: {found} partitions, wanted {asked}; they cannot change")
        counts[kind.name] = found or asked or INPUT_PARTITIONS
    return counts, problems


async def _partitions(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """All topics with their number of partitions."""
    return {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics() if topic["partitions"]}


async def _create(
    admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], replication_factor: int | None
) -> list[TopicSpec]:
    """Creates topics, and returns those that did not exist; a concurrent run may have created others."""
    if not specs:
        return []
    # The client takes a replication of -1 (the brokers' default) only with assignments, even none.
    answer = await admin.create_topics(
        [
            NewTopic(
                spec.topic,
                spec.partitions,
                replication_factor or -1,
                replica_assignments=None if replication_factor else {},
                topic_configs=dict(spec.config),
            )
            for spec in specs
        ]
    )
    codes = {topic: (code, rest) for topic, code, *rest in answer.topic_errors}
    created = []
    for spec in specs:
        code, detail = codes[spec.topic]
        if code == 0:
            created.append(spec)
        elif code == TopicAuthorizationFailedError.errno:
            raise DeniedError(f"creating topic {spec.topic}", [Right("Create", "topic", spec.topic)])
        elif code != TopicAlreadyExistsError.errno:
            reason = detail[0] if detail and detail[0] else for_code(code).__name__
            raise FatalError(f"topic {spec.topic} could not be created: {reason}")
    await _until_known(admin, {spec.topic for spec in specs})
    return created


async def _until_known(admin: AIOKafkaAdminClient, topics: set[str]) -> None:
    """A new topic is there before the brokers say so: whoever comes next must find it.

    Raises `FatalError`, and `DeniedError` for topics that may not be described: in a list of all they are left out.
    """
    try:
        async with asyncio.timeout(_KNOWN):
            while unknown := sorted(topics - (await _partitions(admin)).keys()):
                described = await admin.describe_topics(unknown)
                denied = [
                    each["topic"] for each in described if each["error_code"] == TopicAuthorizationFailedError.errno
                ]
                if denied:
                    raise DeniedError("describing topics", [Right("Describe", "topic", name) for name in denied])
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise FatalError(f"topics were created, and after {_KNOWN:.0f} s the brokers do not know of them") from None


async def _describe(admin: AIOKafkaAdminClient, topics: Collection[str]) -> dict[str, Found]:
    """Partitions and settings of topics that exist."""
    if not topics:
        return {}
    partitions = await _partitions(admin)
    asked = dict.fromkeys(("cleanup.policy", "retention.ms", "max.compaction.lag.ms", "message.timestamp.type"))
    found = await configs(admin, [ConfigResource(ConfigResourceType.TOPIC, topic, asked) for topic in topics])
    return {topic: Found(partitions[topic], found[topic]) for topic in topics}


async def configs(admin: AIOKafkaAdminClient, resources: Sequence[ConfigResource]) -> dict[str, dict[str, str]]:
    """The settings asked for, by the name of the topic or the id of the broker."""
    found = {}
    for answer in await admin.describe_configs(list(resources)):
        for code, detail, _, name, entries in answer.resources:
            if code == TopicAuthorizationFailedError.errno:
                raise DeniedError(f"settings of {name}", [Right("DescribeConfigs", "topic", name)])
            if code:
                raise FatalError(f"settings of {name} could not be read: {detail or for_code(code).__name__}")
            found[name] = {entry[0]: entry[1] for entry in entries}
    return found
