"""Where a worker's log lines go: standard error, one line each, never with the value of a record."""

from __future__ import annotations

import logging
import sys

import structlog


def configure() -> None:
    """Sets logging up, unless the program has done so already. The libraries below speak of trouble alone."""
    if structlog.is_configured():
        return
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
