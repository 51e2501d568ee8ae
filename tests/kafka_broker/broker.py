"""The broker as the tests handle it: started, stopped, killed, paused, brought back."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress

from aiokafka.errors import KafkaError

from tests.kafka_broker.traffic import Traffic
from tests.patience import PATIENCE

#: Seconds for the first answer of a broker that runs already.
GIVEN_PATIENCE = 15.0
#: Of a node's log, those that are told where something is wrong.
LINES = 8

#: Who may come to the address `secured`, by SASL's PLAIN, and may do everything.
USER, PASSWORD = "watcher", "for tests only"

#: Who may come there too, and may do what the access lists say: nothing at first. By PLAIN, or by a token of that name.
BOUND = "bound"

#: Settings of a node of its own, small and quick: one replica of everything, no wait for more group members.
SETTINGS = {
    "node.id": "1",
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN,OAUTHBEARER",
    "listener.name.secured.plain.sasl.jaas.config": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{USER}="{PASSWORD}" user_{BOUND}="{PASSWORD}";'
    ),
    # Takes tokens that nobody has signed.
    "listener.name.secured.oauthbearer.sasl.jaas.config": (
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
        'unsecuredLoginStringClaim_sub="broker";'
    ),
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": f"User:ANONYMOUS;User:{USER}",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A worker's transaction timeout is bounded by this; aborts of timed-out ones are looked for this often.
    "transaction.max.timeout.ms": "600000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "group.min.session.timeout.ms": "1000",
    # Topics that are set up to be compacted soon are.
    "log.cleaner.backoff.ms": "300",
    # A node whose disk or processor is busy for so long loses all partitions for a moment, which is nothing that a test
    # without faults expects. After a kill it may register again only when its former life's session has run out.
    "broker.session.timeout.ms": "10000",
    "broker.heartbeat.interval.ms": "500",
}


class BrokerError(RuntimeError):
    """The broker did not start, or ended by itself."""


class NotOursError(RuntimeError):
    """A broker that the tests did not start is not theirs to stop, kill or pause."""


class Broker(Traffic):
    """One Kafka node at `bootstrap` ("127.0.0.1:PORT"); address and data survive `stop` and `kill`.

    At `secured` it wants to know who one is (`USER`, `PASSWORD`); a node that is not ours has no such address.
    """

    secured: str

    async def start(self) -> None:
        """Starts the node and waits until it answers a metadata request. Raises `BrokerError`."""
        self.spawn()
        await self.ready()

    async def ready(self, patience: float = PATIENCE) -> None:
        """Waits until the node tells of itself as a living broker. Raises `BrokerError`."""
        try:
            async with asyncio.timeout(patience):
                while not await self._answers():
                    self.check_alive()
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise BrokerError(f"Kafka at {self.bootstrap} gave no answer in {patience:.0f} s") from None

    async def restart(self) -> None:
        """An orderly stop, and a start on the same data."""
        await self.stop()
        await self.start()

    @abstractmethod
    async def move(self) -> None:
        """An orderly stop, and a start on the same data at other addresses."""

    async def heal(self) -> None:
        """Undoes `pause`, `kill` and `stop`, and waits until the node answers."""
        if not self.alive():
            await self.start()
            return
        self.resume()
        await self.ready()

    @abstractmethod
    def spawn(self) -> None:
        """Starts the node without waiting for it."""

    @abstractmethod
    def alive(self) -> bool:
        """Whether the node's process is there, paused or not."""

    def check_alive(self) -> None:
        """Raises `BrokerError`, with the end of the node's log, where it has ended."""
        if not self.alive():
            raise BrokerError("\n".join([f"Kafka at {self.bootstrap} has ended", *self.last_words()]))

    @abstractmethod
    def last_words(self) -> list[str]:
        """The last lines of the node's log."""

    @abstractmethod
    async def stop(self) -> None:
        """An orderly stop; waits for its end."""

    @abstractmethod
    async def kill(self) -> None:
        """SIGKILL; waits for its end."""

    @abstractmethod
    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers, until `resume`."""

    @abstractmethod
    def resume(self) -> None:
        """SIGCONT; nothing where the node is not paused."""

    @abstractmethod
    def remove(self) -> None:
        """Ends the node at once and drops its data."""

    async def _answers(self) -> bool:
        host, port = self.bootstrap.rsplit(":", 1)
        # The client logs each refused connection as an error, so a bare one is tried before it.
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        try:
            async with self.admin() as admin:
                return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError):
            return False


class GivenBroker(Broker):
    """A broker that somebody else runs, named in the environment; it is read and written, never stopped."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    async def start(self) -> None:
        """Looks whether it answers. Raises `BrokerError`."""
        await self.ready(GIVEN_PATIENCE)

    def spawn(self) -> None:
        """It runs already."""

    def alive(self) -> bool:
        return True

    def last_words(self) -> list[str]:
        """They are not known here."""
        return []

    async def stop(self) -> None:
        raise self._not_ours()

    async def kill(self) -> None:
        raise self._not_ours()

    async def move(self) -> None:
        raise self._not_ours()

    def pause(self) -> None:
        raise self._not_ours()

    def resume(self) -> None:
        """It is never paused."""

    def remove(self) -> None:
        """It stays."""

    def _not_ours(self) -> NotOursError:
        return NotOursError(f"the broker at {self.bootstrap} was not started by the tests")
