"""Clusters: many shipments that stall within a day where one facility saw them last."""

from collections.abc import Iterable

from tests.oracle.policy import DAY, OraclePolicy
from tests.oracle.shipments import Stall
from tests.oracle.timeline import OracleAlert, episode


def stall_clusters(stalls: Iterable[Stall], policy: OraclePolicy) -> list[OracleAlert]:
    """The alerts of all facilities: counted at every stall, told at the first of a UTC day that is one too many."""
    counted = [stall for stall in stalls if stall.facility is not None and not stall.moved]
    alerts: dict[tuple[str, int], list[OracleAlert]] = {}
    for time, facility in sorted({(stall.start, stall.facility) for stall in counted if stall.facility is not None}):
        together = [
            stall
            for stall in counted
            if stall.facility == facility and time - policy.cluster_span < stall.start <= time
        ]
        if len(together) >= policy.cluster_stalls and (facility, time // DAY) not in alerts:
            alerts[facility, time // DAY] = episode(
                topics=("platform",),
                type_="facility.stall_cluster",
                subject=facility,
                raised_at=time,
                resolved=None,
                shop=None,
            )
    return [alert for told in alerts.values() for alert in told]
