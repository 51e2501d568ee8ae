"""Several nodes of Kafka that keep everything several times, on this machine's loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tests.kafka_broker.answers import Answers, Rules
from tests.kafka_broker.forwarder import Forwarder, forwarding
from tests.kafka_broker.java import JavaBroker, Place, new_cluster
from tests.kafka_broker.traffic import Traffic
from tests.ports import free_port

#: Beyond those of a single node.
_SETTINGS = {
    "listener.security.protocol.map": (
        "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_PLAINTEXT,PROXIED:PLAINTEXT"
    ),
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    # A node that is paused or killed is missed soon.
    "replica.lag.time.max.ms": "4000",
    "broker.session.timeout.ms": "3000",
    "num.network.threads": "2",
    "num.io.threads": "3",
    "log.cleaner.dedupe.buffer.size": "4194304",
}


class Listener(NamedTuple):
    """A further address of each node, behind a forwarder; `settings`, without their prefix, by the node's number."""

    protocol: str
    settings: Callable[[int], Mapping[str, str]]


class Cluster(Traffic):
    """`len(nodes)` nodes. `bootstrap` leads to them directly, `proxied` through what `rules` can hold and lose.

    `at` has the addresses of further listeners by their names, `forwarders` what stands before them while it runs.
    """

    def __init__(self, folder: Path, count: int = 3, listeners: Mapping[str, Listener] = MappingProxyType({})) -> None:
        self.replication = count
        self.rules = Rules()
        cluster = new_cluster()
        controllers = {number: f"127.0.0.1:{free_port()}" for number in range(1, count + 1)}
        self.nodes: list[JavaBroker] = []
        self.answers: list[Answers] = []
        self.forwarders: dict[str, list[Forwarder]] = {}
        self._ways: list[tuple[str, str, int]] = []
        addresses: dict[str, list[str]] = {name: [] for name in listeners}
        protocols = "".join(f",{name}:{each.protocol}" for name, each in listeners.items())
        for number in controllers:
            port, behind, front = (free_port() for _ in range(3))
            more = {name: free_port() for name in listeners}
            fronts = {name: free_port() for name in listeners}
            for name in listeners:
                addresses[name].append(f"127.0.0.1:{fronts[name]}")
                self._ways.append((name, f"127.0.0.1:{more[name]}", fronts[name]))
            settings = _SETTINGS | {
                "listener.security.protocol.map": _SETTINGS["listener.security.protocol.map"] + protocols,
                "listeners": _listed({"PLAINTEXT": port, "PROXIED": behind, **more})
                + f",CONTROLLER://{controllers[number]}",
                "advertised.listeners": _listed({"PLAINTEXT": port, "PROXIED": front, **fronts}),
            }
            for name, listener in listeners.items():
                prefix = f"listener.name.{name.lower()}."
                settings |= {prefix + each: value for each, value in listener.settings(number).items()}
            node = JavaBroker(folder / f"node-{number}", Place(number, cluster, controllers, settings, heap="256m"))
            node.bootstrap = f"127.0.0.1:{port}"
            self.nodes.append(node)
            self.answers.append(Answers(f"127.0.0.1:{front}", f"127.0.0.1:{behind}", self.rules))
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)
        self.at = {name: ",".join(each) for name, each in addresses.items()}
        self.proxied = ",".join(each.address for each in self.answers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Cluster]:
        """All nodes and what stands before them, in the block; their data are dropped behind it."""
        try:
            for node in self.nodes:
                node.spawn()
            for each in self.answers:
                await each.open()
            async with AsyncExitStack() as fronts:
                self.forwarders = {name: [] for name in self.at}
                for name, target, port in self._ways:
                    way = await fronts.enter_async_context(forwarding(target, port=port))
                    self.forwarders[name].append(way)
                await self.heal()
                yield self
        finally:
            for each in self.answers:
                each.close()
            for node in self.nodes:
                node.remove()

    async def heal(self) -> None:
        """Undoes all that was done to nodes and answers, and waits until every node answers."""
        self.rules.clear()
        for each in self.answers:
            each.join()
        for node in self.nodes:
            if node.alive():
                node.resume()
            else:
                node.spawn()
        await asyncio.gather(*(node.ready() for node in self.nodes))


def _listed(ports: dict[str, int]) -> str:
    return ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
