"""The oracle's door: reads a whole history and tells what must have come out of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.oracle.clusters import stall_clusters
from tests.oracle.escalations import Escalations
from tests.oracle.feeds import Feeds
from tests.oracle.help_rate import HelpRates
from tests.oracle.orders import Orders
from tests.oracle.policy import OraclePolicy
from tests.oracle.shipments import Shipments
from tests.oracle.tickets import Tickets
from tests.oracle.timeline import OracleAlert, microseconds, sorted_events


@dataclass(frozen=True)
class Result:
    """What a history leads to.

    `alerts` are sorted by time. `tables` holds the last record per key of `help-rates` and
    `category-baselines` (without those taken back by a tombstone), in the published form.
    """

    alerts: list[OracleAlert]
    tables: dict[str, dict[str, dict[str, Any]]]


def never(text: str) -> bool:
    """The detector that finds no message asking for platform staff."""
    return False


def read(
    events: Iterable[Mapping[str, Any]],
    until: int | None = None,
    policy: OraclePolicy | None = None,
    *,
    asks: Callable[[str], bool] = never,
    every_boundary: bool = False,
) -> Result:
    """What one reader of the sorted events raises, resolves and publishes up to `until`.

    `events` are valid {"topic", "value"} objects, in any order. `until` is in microseconds since the epoch
    (default: the greatest time); events after it are left out, and deadlines and boundaries at it are not
    passed. `asks` says whether a buyer's message asks for platform staff. With `every_boundary` each hour is
    judged, also those at which no figure changes: slower, and the same.

    Of shipments, feed silence, clusters, orders, tickets, escalations and the help rate. Not of after-sales
    windows (`window_closed` is always 0), rights and conversations.
    """
    policy = policy or OraclePolicy()
    events = list(events)
    if until is None:
        until = max((microseconds(event["value"]["occurred_at"]) for event in events), default=0)
    history = sorted_events(events, until)
    orders = Orders(history, policy)
    feeds = Feeds(history, policy, until)
    shipments = Shipments(history, orders, feeds, policy, until)
    tickets = Tickets(history, policy, until)
    escalations = Escalations(history, orders, shipments.stalls, tickets, policy, asks)
    lives = orders.all_lives()
    rates = HelpRates(lives, escalations.all, policy, until, every_boundary=every_boundary)
    alerts = [*feeds.alerts, *shipments.alerts, *tickets.alerts, *rates.alerts]
    alerts += stall_clusters(shipments.stalls, policy)
    alerts += [alert for life in lives for alert in life.alerts(policy, until)]
    return Result(
        alerts=sorted(alerts, key=OracleAlert.place),
        tables={"help-rates": rates.help_rates, "category-baselines": rates.baselines},
    )
