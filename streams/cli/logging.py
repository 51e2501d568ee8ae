"""Logging to standard error: one line per entry, in one form for us and the libraries, never with a record's value."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar, get_args

import click
import structlog
from structlog.typing import EventDict, WrappedLogger

from streams.cli.faults import place_of
from streams.cli.flood import Flood
from streams.cli.terminal import echo

Form = Literal["console", "json"]
Level = Literal["debug", "info", "warning", "error"]
Command = TypeVar("Command", bound=Callable[..., Any])

#: What the loggers of our own modules begin with.
_OURS = "streams"
#: Seconds in which a library says the same thing once.
_PAUSE = 30.0
#: Whether a line that a person reads has to be one that a program reads, too.
_as_json = False


class Sparing(logging.Filter):
    """Limits how often a library may log the same message: clients repeat themselves in an outage."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] == _OURS:
            return True
        if record.name == "aiokafka" and str(record.msg).startswith("Unable connect"):
            # What cannot be reached is said once, by whoever wanted it.
            return False
        now = time.monotonic()
        key = (record.name, str(record.msg))
        if now - self._said.get(key, -_PAUSE) < _PAUSE:
            return False
        self._said[key] = now
        return True


def configure(form: Form = "console", level: Level = "info") -> None:
    """Sets up logging, unless the program has done so already. Libraries log warnings and worse only."""
    global _as_json  # noqa: PLW0603
    # At the level of debugging it writes down every answer of a broker, records and all: whoever asks for that level
    # gets the rest. At others it has nothing to say but that it has connected.
    logging.getLogger("aiokafka.conn").setLevel(logging.INFO if level == "debug" else logging.WARNING)
    if structlog.is_configured():
        return
    _as_json = form == "json"
    least = getattr(logging, level.upper())
    known: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _place_alone,
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if _as_json
        else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"])
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Sparing())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=known,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(level=logging.INFO if level == "debug" else max(least, logging.WARNING), handlers=[handler])
    logging.getLogger(_OURS).setLevel(least)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*known, Flood(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def last_word(said: str) -> None:
    """Prints in one line why the command fails, in the log's form if that is JSON."""
    if _as_json:
        structlog.get_logger(f"{_OURS}.cli").error(said)
    else:
        echo(f"parcelwatch: {said}", err=True)


def ends_with_log() -> bool:
    """Whether a command's last line is the log's, whatever came before."""
    return _as_json


def logging_options(command: Command) -> Command:
    """Adds `--log-format` and `--log-level`, and sets logging up before the command runs."""

    @click.option("--log-format", type=click.Choice(get_args(Form)), default="console", show_default=True,
                  help="Of log lines, on standard error.")  # fmt: skip
    @click.option("--log-level", type=click.Choice(get_args(Level)), default="info", show_default=True,
                  help="The least that is logged; of libraries, warnings at the least.")  # fmt: skip
    @wraps(command)
    def logged(*arguments: Any, log_format: Form, log_level: Level, **others: Any) -> Any:
        configure(log_format, log_level)
        return command(*arguments, **others)

    return logged  # type: ignore[return-value]


def _place_alone(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replaces an error by its kind and place: its message and traceback may contain data from a record."""
    about = event.pop("exc_info", None)
    error = about[1] if isinstance(about, tuple) else about if isinstance(about, BaseException) else sys.exception()
    if about and error is not None:
        event["error_type"] = type(error).__name__
        event["place"] = place_of(error)
    return event
