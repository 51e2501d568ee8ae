"""The dataflow of the worker: two kinds of task, and the edges between them.

A watermark belongs to an edge: it is the minimum over exactly the inputs that the edge's content depends on. So
registrations do not wait for chats, nor links for the shops' sums, and no two stages wait for each other.
"""

from __future__ import annotations

from schemas.events import CHATS, ORDERS, SCANS
from schemas.times import HOUR, MINUTE, SECOND
from schemas.topics import PLAIN, TopicNames
from streams.engine.processor import Dataflow, Edge, ExternalInput, TaskKind
from streams.policy.model import Policy

ORDERS_TASK = "orders"
SHIPMENTS_TASK = "shipments"

REGISTRATIONS = "registrations"
LINKS = "links"
SHOP_DELTAS = "shop-deltas"
CATEGORY_SUMS = "category-sums"
CARRIER_HOURS = "carrier-hours"
STALL_POINTS = "stall-points"

#: Names of horizons.
OWN = "own"
COUNTS_HORIZON = "counts"
BOUNDARIES = "boundaries"
JUDGEMENT = "judgement"
SHIPMENTS = "shipments"
FEEDS = "feeds"
CLUSTERS = "clusters"

#: The receiver of a broadcast edge: every task.
EVERYONE = -1


def dataflow(policy: Policy, topics: TopicNames = PLAIN) -> Dataflow:
    """The dataflow under a policy, which sets the allowed lateness of each topic."""
    lateness = policy.lateness.micros

    def external(name: str) -> ExternalInput:
        return ExternalInput(topics[name], lateness[name], known_as=name)

    return Dataflow(
        kinds=(
            TaskKind(
                ORDERS_TASK,
                (external(ORDERS), external(CHATS)),
                {
                    OWN: (ORDERS, CHATS),
                    COUNTS_HORIZON: (ORDERS, CHATS, LINKS),
                    BOUNDARIES: (SHOP_DELTAS,),
                    JUDGEMENT: (CATEGORY_SUMS,),
                },
            ),
            TaskKind(
                SHIPMENTS_TASK,
                (external(SCANS),),
                {SHIPMENTS: (SCANS, REGISTRATIONS), FEEDS: (CARRIER_HOURS,), CLUSTERS: (STALL_POINTS,)},
            ),
        ),
        edges=(
            # Scans trail by their lateness, so a few updates of the orders' watermark within it delay nothing.
            Edge(REGISTRATIONS, ORDERS_TASK, SHIPMENTS_TASK, (ORDERS,), max(SECOND, lateness[SCANS] // 6)),
            Edge(CARRIER_HOURS, SHIPMENTS_TASK, SHIPMENTS_TASK, (SCANS,), HOUR, broadcast=True),
            Edge(STALL_POINTS, SHIPMENTS_TASK, SHIPMENTS_TASK, (SCANS, REGISTRATIONS, CARRIER_HOURS), 5 * MINUTE),
            Edge(LINKS, SHIPMENTS_TASK, ORDERS_TASK, (SCANS, REGISTRATIONS, CARRIER_HOURS), HOUR),
            Edge(SHOP_DELTAS, ORDERS_TASK, ORDERS_TASK, (ORDERS, CHATS, LINKS), HOUR),
            Edge(CATEGORY_SUMS, ORDERS_TASK, ORDERS_TASK, (SHOP_DELTAS,), HOUR, broadcast=True),
        ),
    )
