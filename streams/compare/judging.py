"""Turns a run under two policies into findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median

from schemas.times import DAY, HOUR, render
from streams.alerts.wording import catalogue
from streams.compare.episodes import Episode
from streams.compare.findings import (
    CHANGES,
    Change,
    Count,
    Difference,
    Example,
    Findings,
    LevelCounts,
    SettingRow,
    Shift,
    ShopRow,
    Shops,
    Side,
    TypeRow,
)
from streams.compare.levels import Levels, at_level, hours_apart
from streams.compare.matching import Pair, match
from streams.compare.splits import splits
from streams.compare.trial import Outcome, Run
from streams.policy.model import Policy
from streams.policy.settings import differences
from streams.rules.alert_types import ALERT_TYPES

#: An alert that resolves by itself within this time counts as a likely false alarm.
SOON = DAY
#: Days on which shops are counted by level: enough for a plot, whatever the length.
_MOST_DAYS = 1_000
#: Subjects of alerts that `parcelwatch explain` tells of.
_EXPLAINED = ("shipment", "order", "ticket", "conversation", "shop")


def judge(run: Run) -> Findings:
    """The findings of a run of exactly two policies that has read everything."""
    of_a, of_b = run.outcomes
    episodes_a, episodes_b = of_a.episodes.all(), of_b.episodes.all()
    pairs = match(episodes_a, episodes_b)
    names = _names(of_a.policy, of_b.policy)
    end = run.end if run.end is not None else 0
    by_type: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_type.setdefault(pair.either.type, []).append(pair)
    types = [_row(type_, by_type[type_], end) for type_ in ALERT_TYPES if type_ in by_type]
    return Findings(
        first=render(run.first) if run.first is not None else None,
        until=render(run.end) if run.end is not None else None,
        events=run.events,
        dead=run.dead,
        left_out=run.left_out,
        a=_side(names[0], of_a, episodes_a),
        b=_side(names[1], of_b, episodes_b),
        settings=[
            SettingRow(name=one.name, a=one.first, b=one.second) for one in differences(of_a.policy, of_b.policy)
        ],
        types=types,
        splits=splits(
            ((pair, change_of(pair)) for row in types if not row.is_same for pair in by_type[row.type]),
            (of_a.levels, of_b.levels),
        ),
        shops=_shops(of_a.levels, of_b.levels, end),
        levels=_levels(of_a.levels, of_b.levels, end),
        differences=[_difference(pair) for pair in pairs if change_of(pair) != "same"],
    )


def change_of(pair: Pair) -> Change:
    """How the alert changed under the second policy."""
    a, b = pair
    if b is None:
        return "only_a"
    if a is None:
        return "only_b"
    if a.raised == b.raised:
        return "same"
    return "earlier" if b.raised < a.raised else "later"


def _names(a: Policy, b: Policy) -> tuple[str, str]:
    """Names that tell the policies apart."""
    for one, other in ((a.name, b.name), (a.label, b.label)):
        if one != other:
            return one, other
    return f"{a.name} (A)", f"{b.name} (B)"


def _side(name: str, outcome: Outcome, episodes: list[Episode]) -> Side:
    return Side(name=name, policy=outcome.policy.label, alerts=len(episodes), late=outcome.late)


def _row(type_: str, pairs: list[Pair], end: int) -> TypeRow:
    title = catalogue().alerts[type_].title
    changes = Counter(map(change_of, pairs))
    moved = [pair.b.raised - pair.a.raised for pair in pairs if pair.a and pair.b and pair.a.raised != pair.b.raised]
    return TypeRow(
        type=type_,
        severity=ALERT_TYPES[type_].severity,
        title=title,
        a=_count(type_, (pair.a for pair in pairs), end),
        b=_count(type_, (pair.b for pair in pairs), end),
        changes={change: changes[change] for change in CHANGES},
        shift_hours=_shift(moved),
        example=_example(pairs),
        days=_days(pairs),
    )


def _example(pairs: list[Pair]) -> Example | None:
    different = [pair for pair in pairs if change_of(pair) != "same"]
    if not different:
        return None
    pair = max(different, key=_shifted)
    episode = pair.either
    about = ALERT_TYPES[episode.type].about
    return Example(
        subject=episode.subject,
        explain=episode.shop_id if about == "item" else episode.subject if about in _EXPLAINED else None,
        raised_a=render(pair.a.raised) if pair.a else None,
        raised_b=render(pair.b.raised) if pair.b else None,
    )


def _shifted(pair: Pair) -> int:
    return abs(pair.a.raised - pair.b.raised) if pair.a and pair.b else 0


def _count(type_: str, episodes: Iterable[Episode | None], end: int) -> Count:
    raised = withdrawn = watched = over = 0
    for episode in episodes:
        if episode is None:
            continue
        raised += 1
        withdrawn += episode.withdrawn
        if episode.raised + SOON <= end:
            watched += 1
            over += is_over_soon(episode)
    known = watched > 0 and ALERT_TYPES[type_].is_resolved_by_events
    return Count(
        raised=raised,
        withdrawn=withdrawn,
        watched=watched,
        over_in_a_day=over,
        share=round(over / watched, 4) if known else None,
    )


def is_over_soon(episode: Episode) -> bool:
    """Whether it resolved by itself within 24 h."""
    if episode.resolved is None or episode.resolution is None:
        return False
    resolution = ALERT_TYPES[episode.type].resolutions[episode.resolution]
    return resolution.by_itself and episode.resolved - episode.raised <= SOON


def _shift(moved: list[int]) -> Shift | None:
    if not moved:
        return None
    least, middle, greatest = (round(value / HOUR, 2) for value in (min(moved), median(moved), max(moved)))
    return Shift(least=least, median=middle, greatest=greatest)


def _days(pairs: list[Pair]) -> dict[str, tuple[int, int]]:
    counts: dict[int, list[int]] = {}
    for pair in pairs:
        for side, episode in enumerate(pair):
            if episode is not None:
                counts.setdefault(episode.raised // DAY, [0, 0])[side] += 1
    return {_day(day): (of_a, of_b) for day, (of_a, of_b) in sorted(counts.items())}


def _day(day: int) -> str:
    return render(day * DAY)[:10]


def _shops(a: Levels, b: Levels, end: int) -> Shops:
    known = sorted(a.changes.keys() | b.changes.keys())
    rows = []
    for shop_id in known:
        of_a, of_b = a.changes.get(shop_id, []), b.changes.get(shop_id, [])
        apart = hours_apart(of_a, of_b, end)
        at_end = a.at_end(shop_id), b.at_end(shop_id)
        if apart or at_end[0] != at_end[1]:
            rows.append(
                ShopRow(
                    shop_id=shop_id,
                    level_a=at_end[0],
                    level_b=at_end[1],
                    rate_a=a.rate_at_end(shop_id),
                    rate_b=b.rate_at_end(shop_id),
                    changes_a=len(of_a),
                    changes_b=len(of_b),
                    hours_apart=apart,
                )
            )
    rows.sort(key=lambda row: (row.level_a == row.level_b, -row.hours_apart, row.shop_id))
    with_level = sum(1 for shop_id in known if a.changes.get(shop_id) or b.changes.get(shop_id))
    differ = sum(1 for row in rows if row.level_a != row.level_b)
    return Shops(known=with_level, differ_at_end=differ, rows=rows)


def _levels(a: Levels, b: Levels, end: int) -> list[LevelCounts]:
    changes = [change.time for levels in (a, b) for one in levels.changes.values() for change in one]
    if not changes:
        return []
    first, last = min(changes) // DAY, end // DAY
    days = list(range(max(first, last - _MOST_DAYS + 1), last + 1))
    moments = [day * DAY for day in days]
    counts = at_level(a.changes.values(), moments), at_level(b.changes.values(), moments)
    return [
        LevelCounts(day=_day(day), a=of_a, b=of_b) for day, of_a, of_b in zip(days, counts[0], counts[1], strict=True)
    ]


def _difference(pair: Pair) -> Difference:
    episode = pair.either
    return Difference(
        type=episode.type,
        subject=episode.subject,
        shop_id=episode.shop_id,
        order_id=episode.order_id,
        carrier=episode.carrier,
        change=change_of(pair),
        raised_a=render(pair.a.raised) if pair.a else None,
        raised_b=render(pair.b.raised) if pair.b else None,
    )
