"""Prints a study: as tables on a terminal, as plain columns elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from streams.cli.findings_files import PLAIN_WIDTH, show_tables
from streams.cli.terminal import printable
from streams.tune.findings import Choice, Findings, Group, Outcome, Proposal
from streams.tune.shares import Share, percent

#: Silences, in hours, of which the terminal tells; the JSON file tells of more.
_HOURS = (24, 48, 72, 120, 168)
SAID: dict[Outcome, str] = {
    "written": "holds",
    "as_it_is": "is the present one",
    "too_few": "too few parcels",
    "not_right": "none is right often enough",
    "does_not_hold": "does not hold later",
    "too_few_judged": "too few parcels later",
    "not_in_order": "slow and stalled would meet",
}


def show(findings: Findings, console: Console) -> None:
    """Prints the tables to `console`."""
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    console.print(f"{escape(printable(findings.policy))}: {findings.events:,} events, {findings.dead:,} dead letters")
    console.print(f"{findings.first} to {findings.end}, fitted to {findings.cut}, judged from there on")
    tables = [_groups(findings), _proposals(findings)]
    show_tables([*tables, _estimates(findings)] if findings.estimates else tables, console)


def _groups(findings: Findings) -> Table:
    table = Table(title=f"Silences: hours after which so many are over, and the share delivered after all (within "
                        f"{findings.horizon_days:g} days) once a parcel has been silent for so many hours")  # fmt: skip
    for name in ("carrier", "tier"):
        table.add_column(name, no_wrap=True)
    for name in ("parcels", "silences", "50%", "90%", "99%", *(f"{hours} h" for hours in _HOURS)):
        table.add_column(name, justify="right", no_wrap=True)
    for group in findings.groups:
        over = (f"{hours:.3g}" if hours is not None else "" for hours in group.hours.values())
        table.add_row(*named(group), f"{group.parcels:,}", f"{group.silences:,}", *over, *_curve(group))
    return table


def named(one: Group | Proposal) -> tuple[str, str]:
    """Carrier and tier, in words."""
    return escape(printable(one.carrier or "all")), one.tier or "all"


def _curve(group: Group) -> list[str]:
    shares = {point.hours: point.delivered_after_all for point in group.curve}
    return [percent(shares.get(hours)) for hours in _HOURS]


def _proposals(findings: Findings) -> Table:
    goals = "; ".join(
        f"{kind}: {goal.right:.0%} not delivered within {goal.days:g} days" for kind, goal in findings.goals.items()
    )
    table = Table(title=f"Thresholds, in hours ({goals})")
    for name in ("carrier", "tier", "alert"):
        table.add_column(name, no_wrap=True)
    for name in ("now", "found", "promised", "found later", "of"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("parcels of", no_wrap=True)
    for name in ("alerts a day now", "then", "half delivered after"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in findings.proposals:
        found = _found(one.choice)
        alerts = f"{one.alerts_a_day_now:.3g}"
        table.add_row(*named(one), one.kind, f"{one.hours_now:g}", *found[:5], alerts, *found[5:], SAID[one.outcome])
    return table


def _found(choice: Choice | None) -> list[str]:
    if choice is None:
        return [""] * 7
    return [
        f"{choice.hours:g}",
        percent(choice.promised),
        percent(choice.found),
        f"{choice.found.parcels:,}" if choice.found is not None else "",
        choice.parcels_from,
        f"{choice.alerts_a_day:.3g}",
        f"{choice.ahead_hours:.3g} h" if choice.ahead_hours is not None else "",
    ]


def _estimates(findings: Findings) -> Table:
    title = (
        "Delivery estimates, once a parcel has been silent for so long: the share found later to be delivered by the"
        f" time told for half, for nine in ten, and at all (within {findings.horizon_days:g} days)"
    )
    table = Table(title=title)
    for name in ("silent", "by p50", "of", "by p90", "of", "promised at all", "found later", "of"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in findings.estimates:
        promised = f"{one.promised_after_all:.0%}" if one.promised_after_all is not None else ""
        table.add_row(
            f"{one.silent_hours:g} h", *_share(one.by_p50), *_share(one.by_p90), promised, *_share(one.after_all)
        )
    return table


def _share(share: Share | None) -> tuple[str, str]:
    return percent(share), f"{share.parcels:,}" if share is not None else ""
