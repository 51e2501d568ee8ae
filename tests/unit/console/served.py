"""A console on a log in memory, with whatever a test puts there."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from schemas.topics import ALERTS, INPUTS, OUTPUTS
from streams.alerts.cloudevents import AlertWriter
from streams.console.inputs import memory_inputs
from streams.console.reader import MemoryReader
from streams.console.server import Settings, in_thread
from streams.engine.listening import listening
from streams.engine.log.memory import MemoryLog
from streams.rules.alert import Alert
from tests.patience import PATIENCE

PARTITIONS = 2
WRITER = AlertWriter("default@1", "demo")


class Answer:
    """What the server said."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()


class Served:
    """A running console: its log, and how to ask it."""

    def __init__(self, log: MemoryLog, port: int) -> None:
        self.log = log
        self.port = port
        self.address = f"http://127.0.0.1:{port}"

    def put(self, *alerts: Alert, time_shift: int = 0) -> None:
        """Puts alerts out as a worker does."""
        for alert in alerts:
            for record in WRITER.records(alert._replace(time=alert.time + time_shift)):
                self.log.append(ALERTS[record.audience], record.key, record.value)

    def get(self, path: str = "/", headers: Mapping[str, str] | None = None, **asked: str) -> Answer:
        """Asks once. `headers` replace those that are sent otherwise."""
        return self.ask("GET", path, headers, **asked)

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body or None, headers={"Accept": "text/html", **(headers or {})})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def until(self, holds: Callable[[str], bool], path: str = "/") -> str:
        """Asks until the page is as it should be."""
        end = time.monotonic() + PATIENCE
        while not holds(text := self.get(path).text):
            assert time.monotonic() < end, text
            time.sleep(0.02)
        return text


def log_with_topics() -> MemoryLog:
    """An empty log with every external topic."""
    log = MemoryLog()
    for topic in (*INPUTS, *OUTPUTS):
        log.make(topic, PARTITIONS)
    return log


@contextmanager
def served(log: MemoryLog | None = None, **settings: object) -> Iterator[Served]:
    """Runs a console on a free port."""
    log = log if log is not None else log_with_topics()
    listens = listening("127.0.0.1", 0)
    made = Settings(reader=partial(MemoryReader, log), inputs=memory_inputs(log, PARTITIONS), **settings)  # type: ignore[arg-type]
    with in_thread(made, listens):
        yield Served(log, listens.getsockname()[1])
