"""What is wrong with an application, and what to do about it: a pure function of the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from schemas.times import DAY, SECOND
from streams.status.facts import Facts
from streams.status.inputs import inputs

#: Microseconds after which a worker that tells nothing is not well, and a transaction that nobody writes in is stuck.
SILENT, STUCK = 6 * SECOND, 5 * SECOND
#: Microseconds of event time that an input may be behind.
BEHIND = 60 * SECOND
#: Share of late events, offsets of a standby and seconds of a clock from which on they are told.
LATE, FAR, AHEAD = 0.1, 10_000, 5.0
#: Microseconds before its end, and parts of its life, from which on a certificate is told: as its alert rule has it.
EXPIRES, LIFE = 7 * DAY, 5
#: Settings of topics that cost room or time if they are others, and no data.
_BEARABLE = ("retention.ms", "max.compaction.lag.ms", "message.timestamp.type")


class Lasting(NamedTuple):
    """A fact that is a duration."""

    micros: int


class Left(NamedTuple):
    """A fact that is a task which is being restored. `offsets`: how many are left; none or -1 where it begins."""

    task: str
    offsets: int | None


class Finding(NamedTuple):
    """Something that is not as it should be. `wrong`: it needs somebody now; otherwise it is worth a look.

    `code` names its sentences in `words.toml`, `facts` is what they hold: texts, numbers, `Lasting`, `Left`, and lists.
    """

    wrong: bool
    code: str
    facts: dict[str, Any]


def judge(facts: Facts) -> list[Finding]:
    """All findings, the wrong ones first, each kind in the order in which causes come before effects."""
    if not facts.exists:
        return [_absent(facts)]
    found = [finding for check in _CHECKS for finding in check(facts)]
    return sorted(found, key=lambda finding: not finding.wrong)


def _wrong(code: str, **facts: Any) -> Finding:
    return Finding(True, code, facts)


def _look(code: str, **facts: Any) -> Finding:
    return Finding(False, code, facts)


def _absent(facts: Facts) -> Finding:
    if facts.others:
        return _wrong("absent_among_others", app=facts.app_id, others=facts.others)
    return _wrong("absent", app=facts.app_id)


def _topics(facts: Facts) -> Iterator[Finding]:
    report = facts.topics
    if report is None:
        yield _look("topics_uncompared", why=facts.uncompared)
        return
    yield from _missing(facts, [spec.topic for spec in report.created])
    severe = [line for line in report.disagreements if not any(f" {name} " in line for name in _BEARABLE)]
    light = [line for line in report.disagreements if line not in severe]
    if severe:
        yield _wrong("topics_disagree", lines="; ".join(severe))
    if light:
        yield _look("topics_differ", number=len(light), first=light[0])


def _missing(facts: Facts, missing: list[str]) -> Iterator[Finding]:
    """Topics that are not there: where there was state, new ones would not bring it back."""
    topology = facts.topology
    changelogs = [topology.changelog(kind.name) for kind in topology.dataflow.kinds]
    internal = [*changelogs, *(topology.edge_topic(edge.name) for edge in topology.dataflow.edges)]
    lost = [topic for topic in missing if topic in internal] if any(facts.read.values()) else []
    if gone := [topic for topic in lost if topic in changelogs]:
        yield _wrong("state_gone", topics=", ".join(gone))
    elif lost:
        yield _wrong("edges_gone", topics=", ".join(lost))
    if others := [topic for topic in missing if topic not in lost]:
        yield _wrong("topics_missing", topics=", ".join(others))


def _members(facts: Facts) -> Iterator[Finding]:
    if not facts.group.members:
        last = max((note.at for note in facts.notes.values()), default=None)
        yield _wrong("no_worker") if last is None else _wrong("no_worker_since", ago=Lasting(facts.now - last))
        return
    if facts.group.state != "Stable":
        yield _wrong("rebalancing", state=facts.group.state)
    for member in facts.group.members:
        said = facts.said_at(member)
        name = member.instance or member.id
        if said is None:
            if facts.tasks_of(member):
                yield _wrong("untold", worker=name, host=member.host)
        elif facts.now - said > SILENT:
            yield _wrong("silent", worker=name, host=member.host, ago=Lasting(facts.now - said))
        elif (worker := facts.worker(member)) is not None:
            for kind, why in worker.wrong.items():
                if kind != "tasks":
                    yield _wrong("not_ready", worker=name, kind=kind, why=why)


def _tasks(facts: Facts) -> Iterator[Finding]:
    if not facts.group.members or facts.group.state != "Stable":
        return
    orphans = [str(task) for task in facts.topology.tasks() if facts.owner(task) is None]
    if orphans:
        yield _wrong("orphans", tasks=orphans)
    owned = {
        task: note
        for task, note in facts.notes.items()
        if (owner := facts.owner(task)) is not None and owner.id == note.member
    }
    restoring = [Left(str(task), note.left) for task, note in owned.items() if note.left is not None]
    if restoring:
        yield _wrong("restoring", tasks=restoring)


def _transactions(facts: Facts) -> Iterator[Finding]:
    for source, holders in facts.holders.items():
        stuck = [each for each in holders if facts.now - each.last_write > STUCK]
        if stuck:
            span = facts.spans[source]
            yield _wrong(
                "transaction_open",
                who=", ".join(each.who for each in stuck),
                topic=source.topic,
                partition=source.partition,
                stable=span.stable,
                held=span.end - span.stable,
                since=Lasting(facts.now - min(each.last_write for each in stuck)),
            )


def _progress(facts: Facts) -> Iterator[Finding]:
    clocks = {worker.about.get("clock") for each in facts.group.members if (worker := facts.worker(each)) is not None}
    for each in inputs(facts):
        if not each.topic:
            continue
        if not facts.group.members:
            if each.unread:
                yield _wrong("unread", topic=each.topic, unread=each.unread)
        elif each.behind is not None and each.behind > BEHIND and clocks <= {"wall", "catch-up"}:
            code = "behind" if each.unread else "watermark_stands"
            yield _wrong(code, topic=each.topic, behind=Lasting(each.behind), unread=each.unread, holder=each.holder)


def _agreement(facts: Facts) -> Iterator[Finding]:
    told = [worker for each in facts.group.members if (worker := facts.worker(each)) is not None]
    for what, code, judged in (
        ("policy", "policies_differ", _wrong),
        ("partitioner", "partitioners_differ", _wrong),
        ("version", "versions_differ", _look),
    ):
        found = sorted({worker.about.get(what, "?") for worker in told})
        if len(found) > 1:
            yield judged(code, found=", ".join(found))
    wanted = max((int(worker.about.get("standbys", "0")) for worker in told), default=0)
    if wanted and len(facts.group.members) < 2:
        yield _look("standby_alone")
    far = sorted(task for worker in told for task, left in worker.standbys.items() if left < 0 or left > FAR)
    if far:
        yield _look("standbys_behind", tasks=far)


def _measured(facts: Facts) -> Iterator[Finding]:
    for member in facts.group.members:
        worker = facts.worker(member)
        for name, value in ({} if worker is None else worker.measured).items():
            metric, _, label = name.partition(" ")
            who = member.instance or member.id
            if metric == "parcelwatch_late_ratio" and value > LATE:
                yield _wrong("late", share=value, topic=label, worker=who)
            elif metric == "parcelwatch_catching_up":
                yield _look("catching_up", worker=who)
            elif metric == "parcelwatch_clock_ahead_seconds" and abs(value) > AHEAD:
                yield _look("clock_off", worker=who, seconds=value)
            elif metric == "parcelwatch_records_lost_total":
                yield _look("records_lost", number=value, topic=label, worker=who)
            elif metric == "parcelwatch_numbers_under_two_names_total":
                yield _look("two_names", worker=who, number=value)


def _certificates(facts: Facts) -> Iterator[Finding]:
    for member in facts.group.members:
        worker = facts.worker(member)
        measured = {} if worker is None else worker.measured
        for name, expiry in measured.items():
            metric, _, which = name.partition(" ")
            if metric != "parcelwatch_certificate_expiry_timestamp_seconds":
                continue
            life = expiry - measured.get(f"parcelwatch_certificate_start_timestamp_seconds {which}", 0.0)
            left = round(expiry * SECOND) - facts.now
            who = member.instance or member.id
            if left <= 0:
                yield _wrong("certificate_expired", worker=who, certificate=which)
            elif left < min(EXPIRES, life * SECOND / LIFE):
                yield _look("certificate_expires", worker=who, certificate=which, left=Lasting(left))


def _letters(facts: Facts) -> Iterator[Finding]:
    recent = sum(count.number for counts in facts.letters.values() for count in counts.values())
    if recent:
        yield _look("dead_letter" if recent == 1 else "dead_letters", number=recent)


_CHECKS: tuple[Callable[[Facts], Iterator[Finding]], ...] = (
    _topics,
    _members,
    _tasks,
    _transactions,
    _progress,
    _agreement,
    _measured,
    _certificates,
    _letters,
)
