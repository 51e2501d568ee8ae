"""Feeds and clusters that small streams can reach."""

from __future__ import annotations

import msgspec

from streams.policy.model import Clusters, FeedSilence, Policy
from tests.oracle.policy import HOUR, OraclePolicy


def as_lowered(policy: Policy, oracle: OraclePolicy) -> Policy:
    """The product's policy with the oracle's numbers of feeds and clusters."""
    feeds = FeedSilence(
        hours=oracle.feed_hours,
        days=oracle.feed_days,
        min_scans=oracle.feed_min_scans,
        grace_hours=oracle.feed_grace / HOUR,
    )
    clusters = Clusters(stalls=oracle.cluster_stalls, hours=oracle.cluster_span / HOUR)
    return msgspec.structs.replace(policy, feed_silence=feeds, clusters=clusters)
