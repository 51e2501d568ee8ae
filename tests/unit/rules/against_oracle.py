"""Runs a stream through the stages and through the oracle, and says where they differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import msgspec

from schemas.decode import decode
from streams.policy import load
from streams.policy import relief as policy_relief
from streams.policy.contradictions import contradictions
from streams.policy.model import Policy
from streams.policy.shipments import Clusters, Days, FeedSilence, Hours, Suspicious
from streams.rules.alert import RAISED, Alert
from streams.stages.single_reader import SingleReader
from tests.oracle.policy import DAY, HOUR, OraclePolicy, Relief, distinct_orders, taobao_experience_2026, tmall_2026
from tests.oracle.reader import read
from tests.oracle.streams import asks, low_volume
from tests.oracle.timeline import shown

#: The profiles as the oracle knows them.
ORACLES: dict[str, Callable[[], OraclePolicy]] = {
    "default": OraclePolicy,
    "tmall-2026": tmall_2026,
    "taobao-experience-2026": taobao_experience_2026,
    "distinct-orders": distinct_orders,
}
#: Alerts of a rate, and what their evidence counts.
RATED = ("help_rate.", "item.")
COUNTS = ("orders", "disputes", "complaints", "interventions", "ticket_timeouts")
#: Alerts that this oracle does not read.
UNREAD = ("aftersales.", "chat.")


class Kept(NamedTuple):
    """For how many days things are kept."""

    order: int
    order_extension: int
    order_idle: int
    ticket: int
    escalation: int
    voiding: int
    conversation: int


@cache
def policies(profile: str, *, low: bool, kept: Kept | None = None) -> tuple[Policy, OraclePolicy]:
    """The same policy for both; `low`: a help rate that small streams can reach; `kept`: in place of the profile's."""
    policy = load.load(profile)
    oracle = ORACLES[profile]()
    if kept is not None:
        days = {f"{name}_days": number for name, number in kept._asdict().items()}
        policy = msgspec.structs.replace(policy, keeping=msgspec.structs.replace(policy.keeping, **days))
        oracle = replace(oracle, **{f"keep_{name}": number * DAY for name, number in kept._asdict().items()})
    if not low:
        return policy, oracle
    oracle = low_volume(oracle)
    rate = msgspec.structs.replace(
        policy.help_rate,
        min_orders=oracle.min_orders,
        min_shops=oracle.min_shops,
        delisting_min_escalations=oracle.delisting_escalations,
    )
    return msgspec.structs.replace(policy, help_rate=rate), oracle


def with_numbers_of(oracle: OraclePolicy, policy: Policy) -> Policy:
    """The product's policy with the oracle's numbers of shipments, feeds and clusters."""
    shipments = msgspec.structs.replace(
        policy.shipments,
        late_registration=Hours(hours=oracle.late_registration / HOUR),
        failed_attempts=oracle.failed_attempts,
        relief=tuple(_relief(span) for span in oracle.reliefs),
        given_up_days=oracle.give_up / DAY,
        keep_days=oracle.keep_shipment / DAY,
    )
    found = msgspec.structs.replace(
        policy,
        shipments=shipments,
        suspicious=Suspicious(paid_slack=Hours(hours=oracle.paid_slack / HOUR), reuse=Days(days=oracle.reuse / DAY)),
        feed_silence=FeedSilence(
            hours=oracle.feed_hours,
            days=oracle.feed_days,
            min_scans=oracle.feed_min_scans,
            grace_hours=oracle.feed_grace / HOUR,
        ),
        clusters=Clusters(stalls=oracle.cluster_stalls, hours=oracle.cluster_span / HOUR),
    )
    assert contradictions(found) == []
    return found


def _relief(span: Relief) -> policy_relief.Relief:
    told = {"name": span.name, "from": shown(span.start), "to": shown(span.end), "hours": span.later / HOUR}
    regions = None if span.regions is None else sorted(span.regions)
    return msgspec.convert(told | {"regions": regions}, policy_relief.Relief)


#: What is compared of the evidence of shipments, besides the causes; lists are made tuples.
_OF_SHIPMENTS = (
    "attempts", "collected_at", "deliver_by", "destination", "facility", "ground", "last_status", "last_update",
    "order_ids", "paid_at", "previous_end", "region", "relief",
)  # fmt: skip


def evidence_of(alert: Alert) -> tuple[tuple[str, Any], ...]:
    """What is compared of the evidence of an alert that is raised for a shipment."""
    if alert.status != RAISED or not alert.type.startswith("shipment."):
        return ()
    told = {name: alert.evidence[name] for name in _OF_SHIPMENTS if name in alert.evidence}
    if "ground" not in told or told["ground"] != "delivered_elsewhere":
        told.pop("destination", None)
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in sorted(told.items()))


def encoded(event: Mapping[str, Any]) -> bytes:
    """A value as a producer writes it."""
    return json.dumps(event["value"], ensure_ascii=False, separators=(",", ":")).encode()


def run(
    events: Iterable[Mapping[str, Any]], policy: Policy, until: int | None, steps: Iterable[int] = ()
) -> tuple[list[Alert], dict[str, dict[str, Any]], SingleReader]:
    """Alerts and tables; `steps`: the events after which what is due is looked at."""
    reader = SingleReader(policy)
    looks = set(steps)
    for number, event in enumerate(events):
        value = encoded(event)
        decoded, time = decode(event["topic"], value)
        if until is None or time <= until:
            reader.take(event["topic"], decoded, time, value)
        if number in looks:
            reader.settle()
    reader.finish(until if until is not None else reader.greatest)
    alerts, records = reader.drain()
    tables: dict[str, dict[str, Any]] = {"help-rates": {}, "category-baselines": {}}
    for record in records:
        if record.value is None:
            tables.setdefault(record.table, {}).pop(record.key, None)
        else:
            tables.setdefault(record.table, {})[record.key] = record.value
    return alerts, tables, reader


def shapes(alerts: Iterable[Alert]) -> Counter[tuple[Any, ...]]:
    """What is compared of alerts."""
    result: Counter[tuple[Any, ...]] = Counter()
    for alert in alerts:
        raised = alert.status == RAISED
        causes = tuple(c["code"] for c in alert.evidence.get("causes", ())) if raised else ()
        left = alert.evidence.get("escalations_left") if raised else None
        rated = raised and alert.type.startswith(RATED)
        counts = tuple(alert.evidence[name] for name in COUNTS) if rated else None
        for audience in alert.audiences:
            result[
                audience,
                alert.type,
                alert.subject,
                alert.status,
                alert.time,
                alert.shop_id,
                alert.order_id,
                alert.carrier,
                alert.resolution,
                causes,
                left,
                counts,
                evidence_of(alert),
            ] += 1
    return result


def difference(
    events: list[dict[str, Any]],
    arrival: Iterable[Mapping[str, Any]],
    *,
    profile: str = "default",
    low: bool = True,
    until: int | None = None,
    steps: Iterable[int] = (),
    kept: Kept | None = None,
    numbers: Callable[[OraclePolicy], OraclePolicy] | None = None,
) -> str:
    """Empty where the stages and the oracle say the same. `numbers`: changes those of shipments, for both."""
    policy, oracle = policies(profile, low=low, kept=kept)
    if numbers is not None:
        oracle = numbers(oracle)
        policy = with_numbers_of(oracle, policy)
    alerts, tables, reader = run(arrival, policy, until, steps)
    wanted = read(events, until, oracle, asks=asks)
    got = shapes(alert for alert in alerts if not alert.type.startswith(UNREAD))
    want: Counter[tuple[Any, ...]] = Counter(
        (
            a.topic, a.type, a.subject, a.status, a.time_us, a.shop_id, a.order_id, a.carrier, a.resolution,
            tuple(a.causes or ()) if a.status == RAISED else (), a.escalations_left if a.status == RAISED else None,
            a.counts, a.evidence,
        )
        for a in wanted.alerts
    )  # fmt: skip
    problems = [f"missing {shape}" for shape in (want - got)] + [f"unexpected {shape}" for shape in (got - want)]
    if reader.late:
        problems.append(f"{reader.late} late events in a stream that should have none")
    mine = {key: _compared(row) for key, row in tables["help-rates"].items()}
    theirs = {key: _compared(row) for key, row in wanted.tables["help-rates"].items()}
    if mine != theirs:
        problems += [
            f"help-rates {key}: {mine.get(key)} instead of {theirs.get(key)}"
            for key in sorted({*mine, *theirs})
            if mine.get(key) != theirs.get(key)
        ]
    baselines = {key: row for key, row in tables["category-baselines"].items() if row["shops"]}
    if baselines != wanted.tables["category-baselines"]:
        problems.append(f"baselines {baselines} instead of {wanted.tables['category-baselines']}")
    return "\n".join(problems[:20])


def _compared(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record of `help-rates` without what the oracle does not read, and without the baseline, a table's own."""
    kept = {name: field for name, field in row.items() if name != "baseline"}
    for window in ("7d", "30d"):
        kept[window] = {name: field for name, field in row[window].items() if name != "window_closed"}
    return kept
