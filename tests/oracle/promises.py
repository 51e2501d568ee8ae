"""`shipment.delivery_late`: not ended at the promised time."""

from tests.oracle.feeds import Deadline, Feeds
from tests.oracle.policy import OraclePolicy
from tests.oracle.timeline import OracleAlert, episode, shown
from tests.oracle.uses import Use


def delivery_late(use: Use, feeds: Feeds, policy: OraclePolicy, until: int) -> list[OracleAlert]:
    """The alert for the first `order.shipped` that promises a delivery."""
    for shipping in use.shippings():
        promised = shipping.moment("deliver_by")
        if promised is None:
            continue
        due = feeds.moved(use.carrier, Deadline(max(promised, shipping.time), strict=True))
        if not due.is_missed(use.ended_at()) or due.time >= until or due.time > use.forgotten_at(policy):
            return []
        if due.moved and max(promised, shipping.time) > use.forgotten_at(policy):
            return []
        first = use.shippings()[0]
        return episode(
            topics=("merchant",),
            type_="shipment.delivery_late",
            subject=use.tracking_no,
            raised_at=due.time,
            resolved=use.end(policy, until),
            shop=first.shop,
            order=first.order,
            carrier=use.carrier,
            evidence=use.account(due.time) | {"deliver_by": shown(promised)},
        )
    return []
