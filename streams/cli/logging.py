"""Where a worker's log lines go: standard error, one line each, never with the value of a record."""

from __future__ import annotations

import logging
import sys
import time

import structlog

#: Seconds in which a library says the same thing once.
_PAUSE = 60.0


class Sparing(logging.Filter):
    """Lets the same message of the same logger through once in a while: clients repeat themselves in an outage."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "aiokafka" and str(record.msg).startswith("Unable connect"):
            # What cannot be reached is said once, by whoever wanted it.
            return False
        now = time.monotonic()
        key = (record.name, str(record.msg))
        if now - self._said.get(key, -_PAUSE) < _PAUSE:
            return False
        self._said[key] = now
        if record.exc_info and record.exc_info[0] is not None:
            # Where a library met it is of no use to whoever reads this: what follows from it is told in a line of ours.
            record.msg, record.args = f"{record.getMessage()}: {record.exc_info[0].__name__}", ()
            record.exc_info = record.exc_text = None
        return True


def configure() -> None:
    """Sets logging up, unless the program has done so already. The libraries below speak of trouble alone."""
    # At the level of debugging it writes down every answer of a broker, records and all: whoever asks for that level
    # gets the rest.
    logging.getLogger("aiokafka.conn").setLevel(logging.INFO)
    if structlog.is_configured():
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Sparing())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(levelname)s %(name)s: %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
