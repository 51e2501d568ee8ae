"""The status of an application, as one screen and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.times import render
from streams.engine.topology import TaskId
from streams.status.facts import Count, Facts
from streams.status.inputs import Input, inputs
from streams.status.judgement import Finding
from streams.status.wording import duration, remedy, what


def document(facts: Facts, findings: Sequence[Finding]) -> dict[str, Any]:
    """Everything, for programs. Times are RFC 3339, durations seconds."""
    return {
        "application": facts.app_id,
        "time": render(facts.now),
        "healthy": not any(finding.wrong for finding in findings),
        "findings": [
            {"wrong": finding.wrong, "code": finding.code, "what": what(finding), "do": remedy(finding)}
            for finding in findings
        ],
        "group": facts.group.state,
        "workers": [_worker(facts, number) for number in range(len(facts.group.members))],
        "tasks": [_task(facts, task) for task in facts.topology.tasks()],
        "inputs": [_input(each) for each in inputs(facts)],
        "held_up": [
            {"topic": source.topic, "partition": source.partition, "stable": facts.spans[source].stable,
             "end": facts.spans[source].end, "holders": [holder.who for holder in holders]}
            for source, holders in facts.holders.items()
        ],
        "newest_alerts": _counts(facts.alerts, ("type", "status")),
        "dead_letters_of_last_day": _counts(facts.letters, ("reason",)),
        "other_applications": list(facts.others),
    }  # fmt: skip


def _worker(facts: Facts, number: int) -> dict[str, Any]:
    member = facts.group.members[number]
    told, said = facts.worker(member), facts.said_at(member)
    return {
        "member": member.id,
        "instance": member.instance or None,
        "host": member.host,
        "client": member.client,
        "told": None if said is None else render(said),
        "tasks": [str(task) for task in facts.tasks_of(member)],
        "about": {} if told is None else told.about,
        "not_ready": {} if told is None else told.wrong,
        "standbys": {} if told is None else told.standbys,
        "measured": {} if told is None else told.measured,
    }


def _task(facts: Facts, task: TaskId) -> dict[str, Any]:
    owner, note = facts.owner(task), facts.notes.get(task)
    return {
        "task": str(task),
        "member": None if owner is None else owner.id,
        "restoring": None if note is None else note.left,
        "unread": sum(facts.unread(source) for source in facts.topology.partitions_of(task) if source in facts.spans),
    }


def _input(each: Input) -> dict[str, Any]:
    return {
        "task": each.kind,
        "input": each.name,
        "topic": each.topic or None,
        "unread": each.unread,
        "watermark": None if each.watermark is None else render(each.watermark),
        "behind_seconds": None if each.behind is None else round(each.behind / 1e6, 3),
        "held_by": each.holder or None,
    }


def _counts(counts: Mapping[str, Mapping[tuple[str, ...], Count]], names: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {"topic": topic, **dict(zip(names, key, strict=True)), "count": count.number, "last": render(count.last)}
        for topic, found in sorted(counts.items())
        for key, count in sorted(found.items())
    ]


# -- one screen


def lines(facts: Facts, findings: Sequence[Finding]) -> Iterator[str]:
    """For a person, the worst first."""
    wrong = sum(finding.wrong for finding in findings)
    state = "is healthy" if not wrong else "has something wrong" if wrong == 1 else f"has {wrong} things wrong"
    yield f"{facts.app_id} {state}, {_time(facts.now)}"
    for finding in findings:
        yield f"  {'WRONG' if finding.wrong else 'look '}  {what(finding)}"
        yield f"         -> {remedy(finding)}"
    if not facts.exists:
        return
    yield from _table("worker", ("version", "policy", "tasks", "standbys", "told"), _workers(facts))
    yield from _table("input", ("unread", "behind", "watermark", "held back by"), _inputs(facts))
    yield from _table("newest alerts", ("raised", "resolved", "last"), _alerts(facts))
    yield from _table("dead letters of the last day", ("reason", "number", "last"), _letters(facts))
    if facts.others:
        yield ""
        yield f"other applications here: {', '.join(facts.others)}"


def _workers(facts: Facts) -> Iterator[tuple[str, ...]]:
    for member in facts.group.members:
        told, said = facts.worker(member), facts.said_at(member)
        about = {} if told is None else told.about
        tasks = [str(task) for task in facts.tasks_of(member)]
        yield (
            f"{member.instance or member.id[-8:]} at {member.host}",
            about.get("version", member.client.removeprefix("parcelwatch-")),
            about.get("policy", "?"),
            f"{len(tasks)}: {by_kind(tasks)}" if tasks else "none",
            str(0 if told is None else len(told.standbys)),
            "never" if said is None else f"{duration(facts.now - said)} ago",
        )


def by_kind(tasks: Sequence[str]) -> str:
    """Tasks by kind: "orders 0 1 2, shipments 0 1"."""
    numbers_of: dict[str, list[str]] = {}
    for task in tasks:
        kind, _, number = task.rpartition("-")
        numbers_of.setdefault(kind, []).append(number)
    return ", ".join(f"{kind} {' '.join(numbers)}" for kind, numbers in numbers_of.items())


def _inputs(facts: Facts) -> Iterator[tuple[str, ...]]:
    for each in inputs(facts):
        name = each.topic or f"{each.kind} <- {each.name}"
        behind = "?" if each.behind is None else duration(each.behind) if each.topic else ""
        yield name, f"{each.unread:,}", behind, "?" if each.watermark is None else _time(each.watermark), each.holder


def _alerts(facts: Facts) -> Iterator[tuple[str, ...]]:
    for topic, found in sorted(facts.alerts.items()):
        for type_ in sorted({key[0] for key in found}):
            both = {status: count for (one, status), count in found.items() if one == type_}
            raised, resolved = (both.get(status, Count()).number for status in ("raised", "resolved"))
            last = max(count.last for count in both.values())
            yield f"{topic} {_name(type_)}", str(raised), str(resolved), _time(last)


def _letters(facts: Facts) -> Iterator[tuple[str, ...]]:
    for topic, found in sorted(facts.letters.items()):
        for (reason,), count in sorted(found.items()):
            yield topic, reason, f"{count.number:,}", _time(count.last)


def _name(type_: str) -> str:
    return type_.removeprefix("parcelwatch.").removesuffix(".v1")


def _time(micros: int) -> str:
    return render(micros)[:19] + "Z"


def _table(first: str, heads: Sequence[str], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Nothing if there are no rows."""
    found = [(first, *heads), *rows]
    if len(found) == 1:
        return
    widths = [max(map(len, column)) for column in zip(*found, strict=True)]
    yield ""
    for row in found:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
