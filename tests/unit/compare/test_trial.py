"""Two policies over one reading are two replays."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson

from streams.alerts.cloudevents import name_of
from streams.compare.judging import judge
from streams.compare.trial import Run
from streams.policy import load
from streams.policy.model import Policy
from streams.replay.reading import read
from streams.replay.run import Replay


def replayed(policy: Policy, source: Path, folder: Path) -> tuple[Counter[str], dict[str, str], int]:
    """Episodes by type of alert, levels by shop, and late events, out of the files of a replay."""
    replay = Replay(policy)
    summary = replay.run(read(source))
    replay.write(folder, summary)
    episodes = set()
    for audience in ("merchant", "platform"):
        for line in (folder / f"alerts.{audience}.jsonl").read_bytes().splitlines():
            alert = orjson.loads(line)
            name = name_of(alert["type"])
            episodes.add((name, alert["subject"], alert["data"]["episode"]))
    rates = map(orjson.loads, (folder / "help-rates.jsonl").read_bytes().splitlines())
    return Counter(name for name, _, _ in episodes), {rate["shop_id"]: rate["state"] for rate in rates}, summary["late"]


def test_each_policy_raises_what_a_replay_of_its_own_raises(marketplace: Path, tmp_path: Path) -> None:
    policies = [load.load("default"), load.load("tmall-2026")]
    run = Run(policies)
    run.take(read(marketplace))
    found = judge(run)
    for outcome, policy, side in zip(run.outcomes, policies, ("a", "b"), strict=True):
        alerts, states, late = replayed(policy, marketplace, tmp_path / side)
        assert {row.type: getattr(row, side).raised for row in found.types} == alerts
        assert {shop: outcome.levels.at_end(shop) for shop in outcome.levels.changes} == states
        assert getattr(found, side).late == late
    assert len({row.type for row in found.types}) > 8
    assert found.total("earlier") > 0


def test_every_alert_of_both_has_one_change(marketplace: Path) -> None:
    run = Run([load.load("default"), load.load("tmall-2026")])
    run.take(read(marketplace))
    found = judge(run)
    both = sum(found.total(change) for change in ("same", "earlier", "later"))
    assert found.a.alerts == both + found.total("only_a")
    assert found.b.alerts == both + found.total("only_b")
    assert len(found.differences) == sum(found.total(c) for c in ("earlier", "later", "only_a", "only_b"))
    for row in found.types:
        assert sum(a for a, _ in row.days.values()) == row.a.raised
        assert sum(b for _, b in row.days.values()) == row.b.raised
