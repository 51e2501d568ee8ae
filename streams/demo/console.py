"""Shows alerts to a person as they come: one line each on a terminal or in a file, and a summary at the end."""

from __future__ import annotations

from collections import Counter
from typing import IO

import msgspec
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from schemas import times
from schemas.outputs import AlertEvent
from streams.alerts.cloudevents import name_of
from streams.alerts.languages import LANGUAGES, Tag, preferred_language
from streams.alerts.wording import catalogue
from streams.cli.terminal import harmless
from streams.demo.wrapping import wrapped
from streams.rules.alert_types import ALERT_TYPES

_COLOURS = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
#: Cells before a message on a terminal.
_INDENT = 4
_RESOLVED_COLOUR = "green"
_WORDS: dict[str, dict[str, str]] = {
    "zh-CN": {
        "info": "提示",
        "warning": "警告",
        "critical": "严重",
        "raised": "触发",
        "resolved": "解除",
        "open": "未解除",
        "alert": "告警",
        "total": "合计",
        "none": "没有告警。",
        "summary": "告警汇总",
    },
    "en": {
        "info": "info",
        "warning": "warning",
        "critical": "critical",
        "raised": "raised",
        "resolved": "resolved",
        "open": "open",
        "alert": "alert",
        "total": "total",
        "none": "No alerts.",
        "summary": "Alerts",
    },
}


class _Pipe(Console):
    def on_broken_pipe(self) -> None:
        """Lets the caller know that nobody reads any more; the default ends the program with status 1."""
        raise BrokenPipeError


class AlertConsole:
    """Prints alerts to `file` (default: standard output) and counts them.

    In colour on a terminal, with the message below what it is about; in plain lines elsewhere. It may be given the
    alerts of both topics: one that goes to merchant and platform is shown once, as the platform reads it. Raises
    BrokenPipeError once nobody reads.
    """

    def __init__(self, language: Tag | None = None, file: IO[str] | None = None) -> None:
        self.language: Tag = preferred_language() if language is None else language
        self.console: Console = _Pipe(file=file, highlight=False)
        # A terminal's lines break between words; a line in a file stays one.
        self.console.soft_wrap = not self.console.is_terminal
        self._words = _WORDS[self.language]
        self._decoder = msgspec.json.Decoder(AlertEvent)
        alerts = catalogue().alerts
        self._titles = {type_: words.title[self.language] for type_, words in alerts.items()}
        self._to_both = {name for name, type_ in ALERT_TYPES.items() if len(type_.audiences) > 1}
        self._severity: dict[str, str] = {}
        self._counts: dict[str, Counter[str]] = {}
        #: How many were counted.
        self.total = 0

    def alert(self, value: bytes) -> None:
        """Counts and shows the alert in `value`, a CloudEvent. Raises msgspec.MsgspecError where it is none of ours."""
        event = self.count(value)
        if event is not None:
            self.show(event)

    def count(self, value: bytes) -> AlertEvent | None:
        """Counts the alert in `value`; None where it is the copy of one that is shown as another audience reads it."""
        event = self._decoder.decode(value)
        data = event.data
        type_ = name_of(event.type)
        if data.audience == "merchant" and type_ in self._to_both:
            return None
        self._severity[type_] = data.severity
        self._counts.setdefault(type_, Counter())[data.status] += 1
        self.total += 1
        return event

    def show(self, event: AlertEvent) -> None:
        """Prints one alert."""
        data = event.data
        type_ = name_of(event.type)
        colour = _COLOURS[data.severity] if data.status == "raised" else _RESOLVED_COLOUR
        line = Text()
        line.append(f"{self.minute(times.parse(event.time))}  ", style="dim")
        line.append(f"{self._words[data.severity]}·{self._words[data.status]}  ", style=colour)
        line.append(self._titles.get(type_, type_), style="bold")
        message = harmless(msgspec.to_builtins(data.message)[self.language])
        if self.console.is_terminal:
            self.console.print(line)
            lines = wrapped(message, self.console.width - _INDENT)
            self.console.print(Padding(Text("\n".join(lines)), (0, 0, 0, _INDENT)))
        else:
            self.console.print(line.append(f"  {message}", style="not bold"))

    def summary(self) -> None:
        """Shows how many alerts of each type were raised and resolved, and are open still."""
        words = self._words
        if not self._counts:
            self.console.print(words["none"])
            return
        rows = [
            (
                self._titles.get(type_, type_),
                self._severity[type_],
                counts["raised"],
                counts["resolved"],
                max(0, counts["raised"] - counts["resolved"]),
            )
            for type_, counts in sorted(self._counts.items(), key=lambda pair: -pair[1]["raised"])
        ]
        if not self.console.is_terminal:
            self.console.print(f"{words['summary']}:")
            for title, severity, raised, resolved, still_open in rows:
                self.console.print(
                    f"  {title} ({words[severity]}): {words['raised']} {raised}, "
                    f"{words['resolved']} {resolved}, {words['open']} {still_open}"
                )
            return
        table = Table(title=words["summary"])
        table.add_column(words["alert"])
        for column in ("raised", "resolved", "open"):
            table.add_column(words[column], justify="right")
        for title, severity, raised, resolved, still_open in rows:
            name = Text(title, style=_COLOURS[severity])
            table.add_row(name, str(raised), str(resolved), str(still_open))
        table.add_section()
        table.add_row(words["total"], *(str(sum(column)) for column in list(zip(*rows, strict=True))[2:]))
        self.console.print(table)

    def minute(self, time: int) -> str:
        """The minute of a time (microseconds), in the reader's zone as in the messages."""
        return LANGUAGES[self.language].local(time)[:16]
