"""A real Kafka for every test in this folder; see `tests/kafka_broker`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.connected import former, prometheus
from tests.connected.marketplace import end, spoken, started
from tests.kafka_broker import Broker, BrokerError, GivenBroker, NoBrokerError, choose, java, missing, own

#: Several nodes run with Java alone, wherever the one of the other tests comes from.
NO_CLUSTER = java.missing()
collect_ignore = [] if prometheus.INSTALLED else ["test_dashboards.py", "test_compose_watchers.py"]
if NO_CLUSTER is not None:
    collect_ignore.append("test_secured_cluster.py")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not prometheus.INSTALLED:
        terminalreporter.write_line(prometheus.LEFT_OUT)
    if NO_CLUSTER is not None:
        terminalreporter.write_line(f"three brokers with certificates and access lists: left out ({NO_CLUSTER})")
    if not former.KNOWN:
        terminalreporter.write_line(former.LEFT_OUT)


#: The last lines of each process that a failed test tells, and the arguments that name it.
_LINES, _NAMED_BY = 30, 6


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    spoken.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails tells what its processes have said: of one that waits in vain, that alone says why."""
    report = yield
    if report.when == "setup":
        # What fixtures have started, they end.
        started.clear()
    elif report.failed and isinstance(item, pytest.Function):
        for arguments, lines in spoken:
            name = " ".join(arguments[1:][:_NAMED_BY])
            report.sections.append((f"said by {name}", "".join(lines[-_LINES:])))
        brokers = {each for each in item.funcargs.values() if isinstance(each, Broker)}
        report.sections += [("said by the broker", "\n".join(each.last_words())) for each in brokers]
    return report


def pytest_sessionstart(session: pytest.Session) -> None:
    """Ends a run that will find no broker before it begins: of the processes of a run, none can say why it ended."""
    lacking = None if session.config.option.collectonly else missing()
    if lacking is not None:
        pytest.exit(lacking, returncode=2)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker of the whole run, for fixtures that outlive a test. Tests take `kafka`."""
    yield from running(choose, tmp_path_factory.mktemp("kafka"))


@pytest.fixture
async def kafka(broker: Broker) -> AsyncIterator[Broker]:
    """A running broker without topics at `kafka.bootstrap`; what a test leaves is deleted after it."""
    yield broker
    await nothing_left()
    await broker.heal()
    await broker.wipe()


@pytest.fixture(scope="session")
def own_broker(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """`broker`, or another one where that is somebody else's and must not be stopped."""
    if isinstance(broker, GivenBroker):
        yield from running(own, tmp_path_factory.mktemp("own-kafka"))
    else:
        yield broker


@pytest.fixture(scope="session")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the code of 0.1.0, for `former.variables`."""
    return former.unpacked(tmp_path_factory.mktemp("former"))


@pytest.fixture
async def mortal_kafka(own_broker: Broker) -> AsyncIterator[Broker]:
    """Like `kafka`, and the test may kill, stop and pause it; it is brought back after the test."""
    yield own_broker
    await nothing_left()
    await own_broker.heal()
    await own_broker.wipe()


async def nothing_left() -> None:
    """Ends the processes of a test that has failed before it could: they would be members of groups that go."""
    for process in started:
        if process.returncode is None:
            await end(process)


def running(find: Callable[[Path], Broker], folder: Path) -> Iterator[Broker]:
    """Starts what `find` finds, and removes it at the end. Without a broker the run ends, with one line."""
    try:
        found = find(folder)
    except (NoBrokerError, BrokerError) as none:
        pytest.exit(str(none), returncode=2)
    try:
        asyncio.run(prepared(found))
        yield found
    except BrokerError as failed:
        pytest.exit(str(failed), returncode=2)
    finally:
        found.remove()


async def prepared(broker: Broker) -> None:
    """Starts the broker. One that is given must be empty: the tests delete every topic that they find."""
    await broker.start()
    if left := await broker.topics():
        raise BrokerError(f"the broker at {broker.bootstrap} has topics already: {', '.join(sorted(left)[:5])}")
