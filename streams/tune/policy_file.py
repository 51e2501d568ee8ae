"""Writes what was found as a policy: it extends the present one, and names the source of each number."""

from __future__ import annotations

from typing import Any

import tomlkit

from schemas.times import HOUR
from streams.policy.model import Policy
from streams.policy.settings import row_name
from streams.policy.shipments import Silence, Thresholds
from streams.tune.choices import row_of
from streams.tune.findings import Choice, Findings, Goal, Kind, Proposal, Source
from streams.tune.shares import percent
from streams.tune.silences import TIERS


def written(findings: Findings, policy: Policy, extends: str, name: str, model: str | None = None) -> str | None:
    """The policy file's text, None: nothing of it would differ.

    `extends`, `model`: the present policy, and the model of delivery estimates, as the file names them.
    """
    kept = [one for one in findings.proposals if one.outcome == "written"]
    if not kept and model is None:
        return None
    document = tomlkit.document()
    found = "Thresholds of silences" if kept else "Delivery estimates"
    document.add(tomlkit.comment(f"{found}, found by `parcelwatch tune` from {findings.first} to {findings.end}."))
    document["extends"] = extends
    document["name"] = name
    if model is not None:
        document["estimates"] = {"file": model}
    if kept:
        rows, sources = _rows(kept, findings, policy)
        shipments = tomlkit.table()
        thresholds = tomlkit.aot()
        for row in rows:
            thresholds.append(tomlkit.item(row))
        shipments["thresholds"] = thresholds
        document["shipments"] = shipments
        document["sources"] = sources
    return tomlkit.dumps(document)


def _rows(kept: list[Proposal], findings: Findings, policy: Policy) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """All rows of the list, which is replaced whole; those of dated periods come first, else they would never hold."""
    rows: list[dict[str, Any]] = [_row(row) for row in policy.shipments.thresholds if row.period is not None]
    sources: dict[str, str] = {}
    tuned = {one.carrier for one in kept}
    replaced = [row_of(policy, carrier) for carrier in tuned]
    for carrier in sorted(one for one in tuned if one is not None):
        row = row_of(policy, carrier)
        rows.append(_tuned(row, carrier, kept, findings, sources))
    rows += [
        _row(row)
        for row in policy.shipments.thresholds
        if row.period is None and row.carrier is not None and row not in replaced
    ]
    general = row_of(policy, None)
    rows.append(_tuned(general, None, kept, findings, sources) if None in tuned else _row(general))
    return rows, sources


def _tuned(
    row: Thresholds, carrier: str | None, kept: list[Proposal], findings: Findings, sources: dict[str, str]
) -> dict[str, Any]:
    made: dict[str, Any] = {} if carrier is None else {"carrier": carrier}
    kinds: tuple[tuple[Kind, Silence], ...] = (("slow", row.slow), ("stalled", row.stalled))
    for kind, silence in kinds:
        hours = {tier: silence.micros[tier] / HOUR for tier in TIERS}
        for one in kept:
            if one.carrier == carrier and one.kind == kind and one.choice is not None:
                hours[one.tier] = one.choice.hours
                place = f"shipments.thresholds[{row_name(carrier, None)}].{kind}.hours.{one.tier}"
                sources[place] = _source_of(one.choice, findings.goals[kind], findings)
        made[kind] = _silence({tier: _number(value) for tier, value in hours.items()}, strict=silence.strict)
    return made


_WHOSE: dict[Source, str] = {"own": "its parcels", "carrier": "the carrier's parcels", "all": "all parcels"}


def _source_of(choice: Choice, goal: Goal, findings: Findings) -> str:
    promised, found = choice.promised, choice.found
    source = (
        f"tune to {findings.cut[:10]}, {_WHOSE[choice.parcels_from]}: {percent(promised)} of {promised.parcels} not"
        f" delivered within {goal.days:g} days"
    )
    return f"{source}; then to {findings.end[:10]}: {percent(found)} of {found.parcels}" if found else source


def _row(row: Thresholds) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if row.carrier is not None:
        made["carrier"] = row.carrier
    if row.period is not None:
        made["period"] = row.period
    for kind, silence in (("slow", row.slow), ("stalled", row.stalled)):
        hours: Any = silence.hours
        if not isinstance(hours, float | int):
            hours = {tier: _number(silence.micros[tier] / HOUR) for tier in TIERS}
        else:
            hours = _number(float(hours))
        made[kind] = _silence(hours, strict=silence.strict)
    return made


def _silence(hours: Any, *, strict: bool) -> Any:
    table = tomlkit.inline_table()
    if isinstance(hours, dict):
        inner = tomlkit.inline_table()
        inner.update(hours)
        hours = inner
    table["hours"] = hours
    if not strict:
        table["strict"] = False
    return table


def _number(hours: float) -> float | int:
    return int(hours) if hours == int(hours) else hours
