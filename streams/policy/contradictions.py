"""Finds contradictions in a policy: values that are allowed each by itself, but not together."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.did_you_mean import did_you_mean
from schemas.times import DAY, HOUR
from streams.carriers import same
from streams.policy import phrases
from streams.policy.model import Policy

_HOURS_OF_DAY = 24


def contradictions(policy: Policy) -> list[str]:
    """One line for each field whose value conflicts with another's."""
    found = []
    names = [period.name for period in policy.periods]
    found += [f"periods: the name {name!r} is used twice; each must be one's own" for name in _repeated(names)]
    for number, period in enumerate(policy.periods):
        problem = period.problem()
        if problem:
            found.append(f"periods[{number}] ({period.name}): {problem}")
    for number, row in enumerate(policy.shipments.thresholds):
        where = f"shipments.thresholds[{number}]"
        if row.period is not None and row.period not in names:
            found.append(
                f"{where}.period: {row.period!r} is none of the periods ({', '.join(names) or 'none'})"
                + did_you_mean(row.period, names)
            )
        for tier, slow in row.slow.micros.items():
            stalled = row.stalled.micros[tier]
            if slow >= stalled:
                of_tier = f" ({tier})" if len({*row.slow.micros.values()} | {*row.stalled.micros.values()}) > 2 else ""
                got = f"got {slow / HOUR:g} and {stalled / HOUR:g} hours"
                found.append(f"{where}: slow must be shorter than stalled, {got}{of_tier}")
                break
        if max(row.stalled.micros.values()) >= policy.shipments.given_up:
            given_up = f"shipments.given_up_days, {policy.shipments.given_up / DAY:g} days"
            found.append(f"{where}.stalled.hours: must be shorter than {given_up}")
        for earlier, before in enumerate(policy.shipments.thresholds[:number]):
            if (before.carrier is None or same(before.carrier, row.carrier or "")) and before.period in (
                None,
                row.period,
            ):
                found.append(
                    f"{where}: never holds: shipments.thresholds[{earlier}] comes first, for all that it is for"
                )
                break
    if not any(row.carrier is None and row.period is None for row in policy.shipments.thresholds):
        found.append("shipments.thresholds: one row must have neither carrier nor period, for all others")
    named = [span.name for span in policy.shipments.relief]
    found += [f"shipments.relief: the name {name!r} is used twice; each must be one's own" for name in _repeated(named)]
    for number, span in enumerate(policy.shipments.relief):
        problem = span.problem()
        if problem:
            found.append(f"shipments.relief[{number}] ({span.name}): {problem}")
    if policy.suspicious.reuse.micros > policy.shipments.keep:
        keep = f"shipments.keep_days, {policy.shipments.keep_days:g}"
        found.append(f"suspicious.reuse.days: must not be longer than {keep}, got {policy.suspicious.reuse.days:g}")
    if policy.shipments.late > policy.shipments.keep:
        keep = f"shipments.keep_days, {policy.shipments.keep_days:g} days"
        hours = policy.shipments.late_registration.hours
        found.append(f"shipments.late_registration.hours: must not be longer than {keep}, got {hours:g}")
    found += _twice("shipments.remote_regions", policy.shipments.remote_regions)
    found += _twice("shipments.near_groups", [name for group in policy.shipments.near_groups for name in group])
    if policy.feed_silence.hours > _HOURS_OF_DAY:
        found.append("feed_silence.hours: must be at most 24: they are compared with the same hours of the days before")
    rate = policy.help_rate
    found += _twice("help_rate.counted", rate.counted)
    if not rate.elevated < rate.campaign_blocked < rate.delisting_risk:
        levels = f"{rate.elevated:g}, {rate.campaign_blocked:g} and {rate.delisting_risk:g}"
        found.append(f"help_rate: must be elevated < campaign_blocked < delisting_risk, got {levels}")
    words = policy.interventions.words
    lists = {"phrases": policy.interventions.phrases, "exceptions": policy.interventions.exceptions}
    lists |= {f"words.{role}": getattr(words, role) for role in words.__struct_fields__}
    for field, listed in lists.items():
        problem = phrases.problem(listed, words)
        if problem:
            found.append(f"interventions.{field}: {problem}")
    if policy.conversations.reply_late.opens == policy.conversations.reply_late.closes:
        found.append("conversations.reply_late: from and to must differ")
    found += _twice("aftersales.long_categories", policy.aftersales.long_categories)
    found += _twice("aftersales.no_reason_exempt", policy.aftersales.no_reason_exempt)
    if policy.aftersales.long_base_days < policy.aftersales.base_days:
        base = f"aftersales.base_days, {policy.aftersales.base_days:g}"
        found.append(
            f"aftersales.long_base_days: must not be shorter than {base}, got {policy.aftersales.long_base_days:g}"
        )
    repeat_hours = max(policy.conversations.repeat_hours, policy.interventions.repeat_hours)
    for field in ("order_days", "order_idle_days", "escalation_days", "conversation_days"):
        if getattr(policy.keeping, field) * 24 < 2 * repeat_hours:
            found.append(f"keeping.{field}: must be at least twice the longest repeat_hours, {2 * repeat_hours:g} h")
    return found


def _twice(field: str, names: Sequence[str]) -> list[str]:
    return [f"{field}: {name!r} is named twice" for name in _repeated(names)]


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({one for one in names if names.count(one) > 1})
