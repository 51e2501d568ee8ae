"""The faults, by name. Each draws its details, does them, and says whether it took hold.

What a fault breaks it mends, at once or later; brokers, answers and disks are mended at the end in any case.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from schemas.topics import TABLES
from streams.engine.topology import CHANGELOG
from tests.connected.marketplace import ALERTS, DEAD, INPUTS
from tests.faults import leaders
from tests.faults.feeding import AHEAD
from tests.faults.plan import POINTS, Member
from tests.faults.run import Run
from tests.faults.workers import Worker
from tests.kafka_broker.answers import KEYS, Rule

Fault = Callable[[Run, Random], Awaitable[bool]]

#: Seconds for which a named point is waited for.
_HIT = 8.0


def _any(run: Run, random: Random) -> Worker:
    return random.choice([each for each in run.workers if each.wanted])


def _on_disk(run: Run, random: Random) -> Worker | None:
    found = [each for each in run.workers if each.wanted and each.member.disk and each.state.exists()]
    return random.choice(found) if found else None


# -- workers


async def worker_killed(run: Run, random: Random) -> bool:
    worker = _any(run, random)
    await worker.kill()
    run.later(random.choice((0, 0, random.uniform(0, 6))), worker.start)
    return True


async def worker_killed_at_a_point(run: Run, random: Random) -> bool:
    worker, point = _any(run, random), random.choice(POINTS)
    run.tell(f"worker {worker.number} is to die at {point}")
    worker.arm(point, signal.SIGKILL)
    if point in ("opened", "restoring", "revoking", "revoked"):
        await _rebalance(run, random)
    # It is started again by who looks after it.
    return await worker.hit(_HIT)


async def worker_frozen(run: Run, random: Random) -> bool:
    worker = _any(run, random)
    worker.send(signal.SIGSTOP)
    await asyncio.sleep(run.plan.session + random.uniform(0, 4))
    worker.send(signal.SIGCONT)
    return True


async def worker_frozen_at_a_point(run: Run, random: Random) -> bool:
    worker, point = _any(run, random), random.choice(POINTS)
    run.tell(f"worker {worker.number} is to stand still at {point}")
    worker.arm(point, signal.SIGSTOP)
    if point in ("opened", "restoring", "revoking", "revoked"):
        await _rebalance(run, random)
    if not await worker.hit(_HIT):
        return False
    await asyncio.sleep(random.choice((0.5, run.plan.session + random.uniform(0.5, 3), 12)))
    worker.send(signal.SIGCONT)
    return True


async def rebalance_storm(run: Run, random: Random) -> bool:
    for _ in range(random.randint(3, 10)):
        await _rebalance(run, random)
        await asyncio.sleep(random.uniform(0, 0.8))
    return True


async def _rebalance(run: Run, random: Random) -> None:
    """All members are taken out of the group, and join again."""
    del random
    try:
        async with asyncio.timeout(20):
            await run.cluster.expel(run.app)
    except Exception as error:
        run.tell(f"nobody was expelled: {error!r}")


async def rebalance_in_a_restore(run: Run, random: Random) -> bool:
    worker = _any(run, random)
    await worker.kill()
    worker.slow = random.uniform(0.05, 0.4)
    await worker.start()
    for _ in range(random.randint(1, 4)):
        await asyncio.sleep(random.uniform(0.3, 1.5))
        await _rebalance(run, random)
    worker.slow = 0.0
    return True


async def guest_comes_and_goes(run: Run, random: Random) -> bool:
    guest = run.worker(len(run.workers) + run.happened["guest-comes-and-goes"], Member(False, False, None))
    await guest.start()
    await asyncio.sleep(random.uniform(1, 8))
    if random.random() < 0.5:
        await guest.kill()
    else:
        await guest.stop()
    return True


async def clock_jumps(run: Run, random: Random) -> bool:
    worker = _any(run, random)
    # A process that has just been started would be ended by the signal.
    if not await worker.listens():
        return False
    starts = worker.starts
    # The machine's clock alone, or all clocks of the process.
    worker.send(random.choice((signal.SIGUSR1, signal.SIGRTMIN)))
    await asyncio.sleep(random.uniform(0.5, 4))
    if worker.starts == starts:
        worker.send(signal.SIGUSR2)
    return True


async def outage_with_backlog(run: Run, random: Random) -> bool:
    """All workers are away while a good part of the stream, days of it, is written."""
    for worker in run.workers:
        if worker.wanted:
            await worker.kill()
    run.feed.ahead = len(run.feed.events) // 2
    await asyncio.sleep(random.uniform(1, 3))
    for worker in run.workers:
        await worker.start()

    def near_again() -> None:
        run.feed.ahead = AHEAD

    run.later(5, near_again)
    return True


# -- disks


async def disk_full(run: Run, random: Random) -> bool:
    worker = _on_disk(run, random)
    if worker is None:
        return False
    run.excuses.add("cannot be used: ")
    worker.fill_disk(random.choice((0, 4096, 65536)))
    await asyncio.sleep(random.uniform(0.5, 5))
    worker.fill_disk(-1)
    return True


async def store_wiped(run: Run, random: Random) -> bool:
    worker = _on_disk(run, random)
    if worker is None:
        return False
    await worker.kill()
    worker.wipe()
    await worker.start()
    return True


async def store_stale(run: Run, random: Random) -> bool:
    worker = _on_disk(run, random)
    if worker is None:
        return False
    copy = worker.state.with_suffix(".old")
    await worker.kill()
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(worker.state, copy)
    await worker.start()
    await run.until_read(run.feed.read + random.randint(50, 400))
    await worker.kill()
    worker.wipe()
    copy.rename(worker.state)
    await worker.start()
    return True


async def store_corrupt(run: Run, random: Random) -> bool:
    worker = _on_disk(run, random)
    if worker is None:
        return False
    run.excuses |= {"is broken, and made anew", "cannot be used: "}
    await worker.kill()
    files = sorted(each for each in worker.state.rglob("*") if each.is_file() and each.stat().st_size)
    for file in random.sample(files, min(len(files), random.randint(1, 4))):
        _spoil(file, random)
    await worker.start()
    return True


def _spoil(file: Path, random: Random) -> None:
    content = bytearray(file.read_bytes())
    if random.random() < 0.3:
        content = content[: random.randrange(len(content))]
    for _ in range(random.randint(1, 20) if content else 0):
        content[random.randrange(len(content))] = random.randrange(256)
    file.write_bytes(content)


async def store_of_another(run: Run, random: Random) -> bool:
    """A worker finds the state that another one has left, which may be newer than its own."""
    worker = _on_disk(run, random)
    others = [each for each in run.workers if each is not worker and each.member.disk and each.state.exists()]
    if worker is None or not others:
        return False
    other = random.choice(others)
    await worker.kill()
    await other.kill()
    aside = worker.state.with_suffix(".aside")
    worker.state.rename(aside)
    other.state.rename(worker.state)
    aside.rename(other.state)
    await worker.start()
    await other.start()
    return True


# -- brokers


async def broker_killed(run: Run, random: Random) -> bool:
    node = random.choice(run.cluster.nodes)
    if not node.alive():
        return False
    await node.kill()
    run.later(random.uniform(0, 7), lambda: None if node.alive() else node.spawn())
    return True


async def broker_stopped(run: Run, random: Random) -> bool:
    node = random.choice(run.cluster.nodes)
    if not node.alive():
        return False
    await node.stop()
    run.later(random.uniform(0, 4), lambda: None if node.alive() else node.spawn())
    return True


async def broker_frozen(run: Run, random: Random) -> bool:
    node = random.choice(run.cluster.nodes)
    if not node.alive():
        return False
    node.pause()
    run.later(random.choice((1, 4, 8)) + random.random(), lambda: node.resume() if node.alive() else None)
    return True


async def broker_cut_off(run: Run, random: Random) -> bool:
    """Workers cannot reach a broker that all others can."""
    answers = random.choice(run.cluster.answers)
    answers.cut_off()
    run.later(random.choice((1, 5, 12)) + random.random(), answers.join)
    return True


async def brokers_all_killed(run: Run, random: Random) -> bool:
    await asyncio.gather(*(node.kill() for node in run.cluster.nodes if node.alive()))
    await asyncio.sleep(random.uniform(0, 3))
    for node in run.cluster.nodes:
        if not node.alive():
            node.spawn()
    return True


async def leaders_moved(run: Run, random: Random) -> bool:
    topics = [run.prefix + topic for topic in (*INPUTS, *ALERTS, *TABLES, *DEAD)]
    topics += [f"{run.app}-{kind}-changelog" for kind in ("orders", "shipments")]
    topics += ["__consumer_offsets", "__transaction_state"]
    for _ in range(random.randint(1, 3)):
        try:
            await leaders.move(run.cluster, topics, random)
        except Exception as error:
            run.tell(f"no leader was moved: {error!r}")
            return False
        await asyncio.sleep(random.uniform(0, 1.5))
    return True


# -- answers

_LOST = ("Produce", "Produce", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn", "EndTxn",
         "InitProducerId")  # fmt: skip
_LATE = (*_LOST, "Fetch", "OffsetFetch", "JoinGroup", "SyncGroup", "Heartbeat")


async def answers_lost(run: Run, random: Random) -> bool:
    rule = Rule(random.choice(_LOST), random.randint(1, 4))
    return await _until_done(run, rule, _HIT, restart=rule.request == "InitProducerId", random=random)


async def answers_late(run: Run, random: Random) -> bool:
    rule = Rule(random.choice(_LATE), random.randint(1, 3), random.choice((0.3, 2.0, 5.0, 12.0)))
    return await _until_done(run, rule, _HIT, restart=rule.request == "InitProducerId", random=random)


async def _until_done(run: Run, rule: Rule, seconds: float, *, restart: bool, random: Random) -> bool:
    assert rule.request in KEYS
    run.tell(f"{rule.left} answers to {rule.request}: {'none' if rule.seconds is None else f'{rule.seconds} s late'}")
    before, wanted = run.cluster.rules.done[rule.request], rule.left
    run.cluster.rules.add(rule)
    if restart:
        await _rebalance(run, random)
    try:
        async with asyncio.timeout(seconds):
            while run.cluster.rules.done[rule.request] < before + wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        run.cluster.rules.clear()
    return run.cluster.rules.done[rule.request] > before


# -- topics


async def produce_refused(run: Run, random: Random) -> bool:
    topic = run.prefix + random.choice((*ALERTS, *TABLES))
    run.excuses.add("refuses a batch as too large")
    try:
        async with asyncio.timeout(20):
            await run.cluster.alter_topics({topic: {"max.message.bytes": "200"}})
            await asyncio.sleep(random.uniform(0.5, 4))
    except TimeoutError:
        run.tell("the limit did not come")
    async with asyncio.timeout(60):
        await run.cluster.alter_topics({topic: {"max.message.bytes": "1048588"}})
    return bool(run.refused)


async def changelogs_compacted(run: Run, random: Random) -> bool:
    soon = {"min.cleanable.dirty.ratio": "0.01", "segment.ms": "200"}
    topics = {f"{run.app}-{kind}-changelog": {**CHANGELOG, **soon} for kind in ("orders", "shipments")}
    try:
        async with asyncio.timeout(30):
            await run.cluster.alter_topics(topics)
    except Exception as error:
        run.tell(f"nothing is compacted: {error!r}")
        return False
    run.tell("changelogs are compacted from now on")
    # A restore is to read what is left.
    worker = _any(run, random)
    await asyncio.sleep(random.uniform(1, 3))
    await worker.kill()
    worker.wipe()
    await worker.start()
    return True


# -- what no run comes through


async def changelog_emptied(run: Run, random: Random) -> bool:
    topic = f"{run.app}-{random.choice(('orders', 'shipments'))}-changelog"
    run.excuses |= {"has cleanup.policy", "has lost its rows before offset"}
    await run.cluster.heal()
    await run.cluster.alter_topics({topic: {**CHANGELOG, "cleanup.policy": "delete"}})
    for partition in range(3):
        await run.cluster.delete_records(topic, -1, partition)
    if random.random() < 0.5:
        await run.cluster.alter_topics({topic: CHANGELOG})
        # Workers that have the state know nothing of what is gone, but who restores it does.
        for worker in run.workers:
            await worker.kill()
        for worker in run.workers:
            worker.wipe()
            await worker.start()
    return True


async def partitions_added(run: Run, random: Random) -> bool:
    run.excuses |= {"partitions, ", "need equally many partitions"}
    await run.cluster.heal()
    await run.cluster.grow({run.prefix + random.choice(INPUTS): 4})
    return True


FAULTS: dict[str, Fault] = {
    each.__name__.replace("_", "-"): each
    for each in (
        worker_killed, worker_killed_at_a_point, worker_frozen, worker_frozen_at_a_point, disk_full, store_wiped,
        store_stale, store_corrupt, store_of_another, broker_killed, broker_stopped, broker_frozen, broker_cut_off,
        brokers_all_killed,
        leaders_moved, answers_lost, answers_late, produce_refused, rebalance_storm, rebalance_in_a_restore,
        guest_comes_and_goes, changelogs_compacted, clock_jumps, outage_with_backlog, changelog_emptied,
        partitions_added,
    )
}  # fmt: skip


async def do(run: Run, kind: str, random: Random) -> bool:
    """Does the fault of this name."""
    return await FAULTS[kind](run, random)
