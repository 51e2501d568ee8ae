"""What Prometheus scrapes of two workers, once a minute: of a pair that is well, and of one for each fault.

A scenario is what a healthy pair shows, but for what differs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

#: Minutes that a scenario lasts, and between which a fault lasts.
LASTS, BEGINS, ENDS = 200, 40, 130
#: By name and labels of a series its value at each minute; None: it is not shown. Time begins at 0.
Series = dict[str, list[float | None]]


def always(value: float) -> list[float | None]:
    return [value] * LASTS


def rising(by: float, start: float = 0) -> list[float | None]:
    """More by so much each minute."""
    return [start + by * minute for minute in range(LASTS)]


def during(fault: Callable[[int], float | None] | float, usual: list[float | None]) -> list[float | None]:
    """The usual values, but for the time of the fault: a value, or one by the minutes since it began."""
    found = usual[:]
    for minute in range(BEGINS, ENDS):
        found[minute] = fault(minute - BEGINS) if callable(fault) else fault
    return found


def bursting(by: float, usual: float = 0) -> list[float | None]:
    """A counter that rises by so much more a minute in the time of the fault."""
    return [usual * minute + by * min(max(minute - BEGINS, 0), ENDS - BEGINS) for minute in range(LASTS)]


def of(name: str, instance: str, **labels: str) -> str:
    """The name of a series of one worker."""
    text = ",".join(f'{key}="{value}"' for key, value in {"job": "parcelwatch", "instance": instance, **labels}.items())
    return f"{name}{{{text}}}"


TASKS = {"a": ("orders-0", "shipments-0"), "b": ("orders-1", "shipments-1")}
TOPICS = {"orders": ("orders", "chats"), "shipments": ("logistics-scans",)}


def worker(name: str, records: float) -> Series:
    """What a healthy worker shows that reads so many records a minute of each topic."""
    show = {
        of("up", name): always(1),
        of("process_start_time_seconds", name): always(7),
        of("parcelwatch_build_info", name, version="1.0", policy="default@1"): always(1),
        of("parcelwatch_clock_ahead_seconds", name): always(-0.2),
        of("parcelwatch_catching_up", name): always(0),
        # Of twelve hours, renewed every eight.
        of("parcelwatch_certificate_start_timestamp_seconds", name, certificate="client"): always(0),
        of("parcelwatch_certificate_expiry_timestamp_seconds", name, certificate="client"): always(12 * 3600),
        of("parcelwatch_rebalances_total", name): always(2),
        of("parcelwatch_fetch_failures_total", name, error="LogError"): always(3),
        of("parcelwatch_state_dir_free_bytes", name): rising(-1e5, 60e9),
        of("parcelwatch_state_dir_size_bytes", name): always(100e9),
    }
    for reason in ("starting", "tasks", "brokers", "standstill"):
        show[of("parcelwatch_not_ready", name, reason=reason)] = always(0)
    for task in TASKS[name]:
        kind, partition = task.split("-")
        show[of("parcelwatch_tasks", name, kind=kind)] = always(1)
        show[of("parcelwatch_group_tasks", name, kind=kind)] = always(2)
        show[of("parcelwatch_restore_seconds_count", name, kind=kind)] = always(1)
        show[of("parcelwatch_restoring_offsets", name, task=task)] = always(0)
        show[of("parcelwatch_standby_lag_offsets", name, task=f"{kind}-{1 - int(partition)}")] = always(40)
        for error in ("LogError", "FencedError"):
            show[of("parcelwatch_commit_failures_total", name, kind=kind, error=error)] = always(1)
        for le, share in (("0.1", 0.9), ("1.0", 1.0), ("5.0", 1.0), ("+Inf", 1.0)):
            show[of("parcelwatch_commit_seconds_bucket", name, kind=kind, le=le)] = rising(120 * share)
        for topic in TOPICS[kind]:
            show |= reading(name, task, topic, records)
    return show


def reading(name: str, task: str, topic: str, records: float) -> Series:
    """What a worker shows of one partition that it keeps up with."""
    partition = task.split("-")[1]
    place = {"topic": topic, "partition": partition}
    told = {"task": task, "input": topic}
    # Told by the hour, an hour late.
    edge = {"task": task, "input": "links" if task.startswith("orders") else "carrier-hours"}
    return {
        of("parcelwatch_lag_records", name, **place): always(30 if records else 0),
        of("parcelwatch_lag_seconds", name, **place): always(0.4 if records else 0),
        of("parcelwatch_held_up_records", name, **place): always(0),
        of("parcelwatch_records_read_total", name, topic=topic): rising(records),
        of("parcelwatch_records_lost_total", name, topic=topic): always(0),
        of("parcelwatch_late_events_total", name, topic=topic): rising(records / 1000),
        of("parcelwatch_late_ratio", name, topic=topic): always(0.001),
        of("parcelwatch_dead_letters_total", name, topic=topic, reason="not_json"): rising(records / 1000),
        of("parcelwatch_watermark_timestamp_seconds", name, **told): rising(60, -60),
        of("parcelwatch_watermark_holder", name, **told, holder=f"{topic}-{partition}"): always(1),
        of("parcelwatch_watermark_timestamp_seconds", name, **edge): [
            float(minute // 60 * 3600 - 3600) for minute in range(LASTS)
        ],
        of("parcelwatch_watermark_holder", name, **edge, holder="logistics-scans-0"): always(1),
    }


def pushed(format_name: str, outcome: str) -> str:
    return of("parcelwatch_ingest_pushes_total", "c", job="ingest", format=format_name, outcome=outcome)


def ingest(pushes: float) -> Series:
    """What an ingest shows that takes so many pushes a minute of two formats."""
    show = {of("up", "c", job="ingest"): always(1), of("process_start_time_seconds", "c", job="ingest"): always(7)}
    for name in ("kuaidi100", "shopify"):
        show[pushed(name, "accepted")] = rising(pushes)
        show[pushed(name, "bad_signature")] = rising(pushes / 100)
        show[pushed(name, "undelivered")] = rising(pushes / 1000)
    return show


def healthy(records: float = 600) -> Series:
    return worker("a", records) | worker("b", records) | ingest(records / 10)


def without(series: Series, *instances: str) -> Series:
    """These workers show nothing in the time of the fault, but that they are down."""
    shown = "|".join(instances)
    return {
        name: during(0 if name.startswith("up{") else lambda _: None, values)
        for name, values in series.items()
        if re.search(f'instance="({shown})"', name)
    }


def held(offsets: float) -> Series:
    """Partition 0 of the scans is read no further, while more is written."""
    place = {"topic": "logistics-scans", "partition": "0"}
    standing = during(60 * (BEGINS - 1), rising(60, -60))
    return {
        of("parcelwatch_lag_records", "a", **place): during(lambda since: offsets + 600 * since, always(30)),
        of("parcelwatch_lag_seconds", "a", **place): during(lambda since: 60 * since, always(0.4)),
        of("parcelwatch_watermark_timestamp_seconds", "a", task="shipments-0", input="logistics-scans"): standing,
    }


def restarts(name: str) -> Series:
    return {of("process_start_time_seconds", name): during(lambda since: since // 5 + 10, always(7))}


class Fault(NamedTuple):
    """What differs from two healthy workers, and the minutes behind the fault's begin and end: at the first the alert
    has not fired, at the second it has; at the last it has cleared."""

    differs: Series
    quiet: int
    fires: int
    clears: int
    labels: Mapping[str, str] = MappingProxyType({})
    #: Alerts that come with it.
    with_it: frozenset[str] = frozenset()


_ORDERS_0 = {"topic": "orders", "partition": "0"}
_A_ORDERS = {"job": "parcelwatch", "topic": "orders"}
_SCANS_0 = {"topic": "logistics-scans", "partition": "0"}

FAULTS = {
    "ParcelwatchDown": Fault(
        without(healthy(), "a", "b"), 1, 3, 2, {"job": "parcelwatch"}, frozenset({"ParcelwatchWorkerDown"})
    ),
    "ParcelwatchWorkerDown": Fault(
        without(healthy(), "a"), 1, 3, 2, {"instance": "a"}, frozenset({"ParcelwatchTasksMissing"})
    ),
    "ParcelwatchWorkerRestarts": Fault(restarts("b"), 10, 25, 35, {"instance": "b"}),
    "ParcelwatchNotReady": Fault(
        {of("parcelwatch_not_ready", "a", reason="brokers"): during(1, always(0))}, 2, 4, 1, {"reason": "brokers"}
    ),
    "ParcelwatchTasksMissing": Fault(
        {of("parcelwatch_tasks", "b", kind="orders"): during(0, always(1))}, 4, 6, 1, {"kind": "orders"}
    ),
    "ParcelwatchRebalances": Fault({of("parcelwatch_rebalances_total", "a"): bursting(2)}, 5, 25, 20),
    "ParcelwatchVersionsDiffer": Fault(
        {
            of("parcelwatch_build_info", "b", version="1.0", policy="default@1"): during(lambda _: None, always(1)),
            of("parcelwatch_build_info", "b", version="1.0", policy="mine@2"): during(1, [None] * LASTS),
        },
        25, 35, 6, {"job": "parcelwatch"},
    ),
    "ParcelwatchClockSkew": Fault(
        {of("parcelwatch_clock_ahead_seconds", "b"): during(-8, always(0))}, 4, 6, 1, {"instance": "b"}
    ),
    "ParcelwatchCertificateExpires": Fault(
        {
            # Of a year; it is renewed at the end.
            of("parcelwatch_certificate_start_timestamp_seconds", "b", certificate="client"): always(-358 * 86_400),
            of("parcelwatch_certificate_expiry_timestamp_seconds", "b", certificate="client"): [
                8 * 86_400.0 if minute < BEGINS else 7 * 86_400.0 if minute < ENDS else 365 * 86_400.0
                for minute in range(LASTS)
            ],
        },
        4, 6, 1, {"instance": "b", "certificate": "client"},
    ),
    "ParcelwatchNoProgress": Fault(
        {
            name: [600.0 * min(minute, BEGINS) + 600 * max(minute - ENDS, 0) for minute in range(LASTS)]
            for name in healthy() if re.match("parcelwatch_(records_read|dead_letters)", name)
        },
        5, 13, 6, {"job": "parcelwatch"},
    ),
    "ParcelwatchLagGrows": Fault(
        {
            of("parcelwatch_lag_records", "a", **_ORDERS_0): during(lambda since: 50_000 + 10 * since, always(30)),
            of("parcelwatch_lag_seconds", "a", **_ORDERS_0): during(400, always(0.4)),
        },
        12, 17, 2, {"job": "parcelwatch"},
    ),
    "ParcelwatchOpenTransaction": Fault(
        {of("parcelwatch_held_up_records", "a", **_SCANS_0): during(5, always(0))}, 1, 3, 1, _SCANS_0
    ),
    "ParcelwatchWatermarkStands": Fault(
        held(5), 10, 17, 6, {"holder": "logistics-scans-0", "input": "logistics-scans"},
        frozenset({"ParcelwatchLagGrows"}),
    ),
    "ParcelwatchFetchesFail": Fault(
        {of("parcelwatch_fetch_failures_total", "a", error="LogError"): bursting(3)}, 4, 15, 12, {"error": "LogError"}
    ),
    "ParcelwatchDeadLetters": Fault(
        {of("parcelwatch_dead_letters_total", "a", topic="orders", reason="wrong_key"): bursting(30)},
        4, 12, 16, _A_ORDERS,
    ),
    "ParcelwatchEventsLate": Fault(
        {
            of("parcelwatch_late_ratio", "a", topic="orders"): during(0.8, always(0)),
            of("parcelwatch_late_events_total", "a", topic="orders"): bursting(480),
        },
        1, 6, 1, _A_ORDERS,
    ),
    "ParcelwatchRecordsLost": Fault(
        {of("parcelwatch_records_lost_total", "a", topic="orders"): bursting(1)}, 0, 2, 17, _A_ORDERS
    ),
    "ParcelwatchCarrierSilent": Fault(
        {of("parcelwatch_carrier_silent", "a", carrier="ZTO"): during(1, [None] * LASTS)}, 4, 6, 1, {"carrier": "ZTO"}
    ),
    "ParcelwatchCommitsFail": Fault(
        {of("parcelwatch_commit_failures_total", "a", kind="orders", error="LogError"): bursting(1)},
        4, 15, 12, {"kind": "orders", "error": "LogError"},
    ),
    "ParcelwatchCommitsSlow": Fault(
        {
            of("parcelwatch_commit_seconds_bucket", each, kind="orders", le=le): [
                120.0 * minute * share - 60 * share * min(max(minute - BEGINS, 0), ENDS - BEGINS) * (le != "5.0")
                for minute in range(LASTS)
            ]
            for each in "ab" for le, share in (("0.1", 0.9), ("1.0", 1.0), ("5.0", 1.0))
        },
        9, 18, 6, {"kind": "orders"},
    ),
    "ParcelwatchRestoreLoop": Fault(
        {of("parcelwatch_restore_seconds_count", "a", kind="shipments"): bursting(1)}, 10, 30, 30, {"kind": "shipments"}
    ),
    "ParcelwatchRestoreStands": Fault(
        {of("parcelwatch_restoring_offsets", "a", task="orders-0"): during(900, always(0))},
        9, 12, 1, {"task": "orders-0"},
    ),
    "ParcelwatchStandbyBehind": Fault(
        {of("parcelwatch_standby_lag_offsets", "a", task="orders-1"): during(lambda s: 20_000 + s, always(40))},
        9, 12, 1, {"task": "orders-1"},
    ),
    "ParcelwatchDiskFilling": Fault(
        {of("parcelwatch_state_dir_free_bytes", "a"): during(lambda since: 29e9 - 2e7 * since, always(40e9))},
        25, 35, 2, {"instance": "a"},
    ),
    "ParcelwatchDiskFull": Fault(
        {of("parcelwatch_state_dir_free_bytes", "a"): during(4e9, always(60e9))}, 4, 6, 1, {"instance": "a"},
        frozenset({"ParcelwatchDiskFilling"}),
    ),
    "ParcelwatchIngestDown": Fault(without(healthy(), "c"), 1, 3, 2, {"job": "ingest"}),
    "ParcelwatchIngestRefuses": Fault(
        {
            pushed("shopify", "accepted"): during(60 * (BEGINS - 1), rising(60)),
            pushed("shopify", "bad_signature"): bursting(60, 0.6),
        },
        5, 25, 20, {"format": "shopify"},
    ),
    "ParcelwatchIngestFails": Fault({pushed("kuaidi100", "undelivered"): bursting(10)}, 5, 12, 8, {"job": "ingest"}),
    "ParcelwatchChannelDead": Fault(
        {of("parcelwatch_notify_channel_dead", "n", channel="chat"): during(1, always(0))}, 0, 2, 1, {"channel": "chat"}
    ),
}  # fmt: skip


def back_fill() -> Series:
    """An hour in which a past of months is read, with all of it in the topics: the lag falls, events are months old."""
    found: Series = {}
    for each, tasks in TASKS.items():
        for task in tasks:
            kind, partition = task.split("-")
            for topic in TOPICS[kind]:
                place = {"topic": topic, "partition": partition}
                left = during(lambda since: 6e6 * (1 - since / (ENDS - BEGINS)), always(30))
                months = during(lambda since: 8e6 * (1 - since / (ENDS - BEGINS)), always(0.4))
                watermark = [None if behind is None else 60 * minute - behind for minute, behind in enumerate(months)]
                found |= {
                    of("parcelwatch_lag_records", each, **place): left,
                    of("parcelwatch_lag_seconds", each, **place): months,
                    of("parcelwatch_watermark_timestamp_seconds", each, task=task, input=topic): watermark,
                    of("parcelwatch_records_read_total", each, topic=topic): bursting(30_000, 600),
                }
    # A carrier was silent then; and one topic, far ahead of the others, waits for them.
    found[of("parcelwatch_carrier_silent", "a", carrier="ZTO")] = during(1, [None] * LASTS)
    for each, task in (("a", "shipments-0"), ("b", "shipments-1")):
        far = of("parcelwatch_watermark_timestamp_seconds", each, task=task, input="carrier-hours")
        found[far] = during(-8e6, rising(60, -3600))
    ahead = {"topic": "chats", "partition": "0"}
    found[of("parcelwatch_lag_records", "a", **ahead)] = during(8e5, always(30))
    waits = of("parcelwatch_watermark_timestamp_seconds", "a", task="orders-0", input="chats")
    found[waits] = during(60 * BEGINS - 60, rising(60, -60))
    return found


def catching_up() -> Series:
    """The same while it is still produced, with `--catch-up`: partitions that are read to their end wait for others."""
    found = back_fill() | {of("parcelwatch_catching_up", each): during(1, always(0)) for each in "ab"}
    for each, tasks in TASKS.items():
        for task in tasks:
            kind, partition = task.split("-")
            for topic in TOPICS[kind]:
                place = {"topic": topic, "partition": partition}
                found[of("parcelwatch_lag_records", each, **place)] = during(lambda since: 100 * since, always(30))
                waits = of("parcelwatch_watermark_timestamp_seconds", each, task=task, input=topic)
                found[waits] = during(-8e6, rising(60, -60))
    return found


def restoring() -> Series:
    """Worker a restores its tasks for hours: it shows no lag and no watermark of them, and its standbys wait."""
    found: Series = {of("parcelwatch_not_ready", "a", reason="tasks"): during(1, always(0))}
    for name, values in worker("a", 600).items():
        if re.match("parcelwatch_(lag|held_up|watermark)", name):
            found[name] = during(lambda _: None, values)
        elif name.startswith("parcelwatch_tasks"):
            found[name] = during(0, values)
        elif name.startswith("parcelwatch_restoring_offsets"):
            found[name] = during(lambda since: 5e6 - 2e4 * since, values)
        elif name.startswith("parcelwatch_standby_lag"):
            found[name] = during(lambda since: 100_000 + 600 * since, values)
        elif name.startswith("parcelwatch_records_read"):
            found[name] = [600.0 * (minute - min(max(minute - BEGINS, 0), ENDS - BEGINS)) for minute in range(LASTS)]
    found[of("parcelwatch_state_dir_free_bytes", "a")] = [
        60e9 - 3e8 * min(max(minute - BEGINS, 0), ENDS - BEGINS) for minute in range(LASTS)
    ]
    return found


def rolled_out() -> Series:
    """Both workers are started anew, one after the other, five minutes each; the group is rebalanced with each."""
    found: Series = {}
    for number, each in enumerate("ab"):
        for name, values in worker(each, 600).items():
            begun, back = BEGINS + 10 * number, BEGINS + 10 * number + 1
            new = values[:]
            new[begun:back] = [0 if name.startswith("up{") else None] * (back - begun)
            if re.search("_(total|bucket|count){", name):
                restored = name.startswith("parcelwatch_restore") or "rebalances" in name
                new[back:] = [(value or 0) - (values[back] or 0) + restored for value in values[back:]]
            elif name.startswith("process_start"):
                new[back:] = [60.0 * back] * (LASTS - back)
            found[name] = new
    return found


def scattered() -> Series:
    """What happens now and then: a broker restarts, a task is fenced, a record is invalid, some events come late."""
    found: Series = {}
    for kind in ("orders", "shipments"):
        for error in ("LogError", "FencedError"):
            failures = [1.0 + 2 * (minute >= BEGINS) for minute in range(LASTS)]
            found[of("parcelwatch_commit_failures_total", "a", kind=kind, error=error)] = failures
        found[of("parcelwatch_restore_seconds_count", "a", kind=kind)] = [
            1.0 + 2 * (minute >= BEGINS) for minute in range(LASTS)
        ]
    found[of("parcelwatch_fetch_failures_total", "a", error="LogError")] = [
        3.0 + 5 * (minute >= BEGINS) for minute in range(LASTS)
    ]
    found[of("parcelwatch_not_ready", "a", reason="brokers")] = [float(minute == BEGINS) for minute in range(LASTS)]
    found[of("parcelwatch_dead_letters_total", "a", topic="orders", reason="wrong_key")] = [
        8.0 * (minute >= BEGINS) for minute in range(LASTS)
    ]
    found[of("parcelwatch_late_ratio", "a", topic="chats")] = [0.3 * (minute == BEGINS) for minute in range(LASTS)]
    found[of("parcelwatch_late_events_total", "a", topic="chats")] = [
        9.0 * (minute >= BEGINS) for minute in range(LASTS)
    ]
    return found


#: Streams on which no alert may fire.
WELL: dict[str, Series] = {
    "busy": healthy(),
    "a quiet night": healthy(0),
    "one idle partition": healthy() | reading("a", "orders-0", "orders", 0),
    "a fresh start": {
        name: values if name.startswith("up{") else [None] * 2 + values[: LASTS - 2]
        for name, values in healthy().items()
    },
    "a past stream is read": healthy() | back_fill(),
    "a past stream is produced and caught up with": healthy() | catching_up(),
    "a restore of hours": healthy() | restoring(),
    "a roll-out": healthy() | rolled_out(),
    "what happens now and then": healthy() | scattered(),
}


def scenario(name: str, series: Series, checks: Iterable[tuple[str, int, list[dict[str, Any]]]]) -> dict[str, Any]:
    """A test for promtool: at these minutes, the expression gives these samples."""
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": one, "values": written(values)} for one, values in series.items()],
        "promql_expr_test": [
            {"expr": expression, "eval_time": f"{minute}m", "exp_samples": samples}
            for expression, minute, samples in checks
        ],
    }


def written(values: list[float | None]) -> str:
    """The values as promtool reads them. What is not shown any longer is stale at once, as Prometheus has it."""
    texts = ["_" if value is None else f"{value:.10g}" for value in values]
    for minute in range(1, len(values)):
        if texts[minute] == "_" and values[minute - 1] is not None:
            texts[minute] = "stale"
    return " ".join(texts)
