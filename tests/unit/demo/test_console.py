"""What a person sees of the alerts, on a terminal and off it."""

from __future__ import annotations

from io import StringIO

import msgspec
import pytest

from streams.alerts.cloudevents import AlertWriter
from streams.demo.console import AlertConsole, preferred_language
from streams.rules.alert import Alert
from tests.unit.alerts.samples import an_alert

WRITER = AlertWriter("default@1", "demo")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def show(*alerts: Alert, language: str = "en", out: StringIO | None = None) -> str:
    out = StringIO() if out is None else out
    console = AlertConsole(language, out)
    for alert in alerts:
        for record in WRITER.records(alert):
            console.alert(record.value)
    console.summary()
    return out.getvalue()


def test_an_alert_is_one_plain_line_where_there_is_no_terminal() -> None:
    first, *rest = show(an_alert("ticket.timed_out", opened_at=None, due_at=None)).splitlines()
    assert first == (
        "2026-11-10 00:15  warning·raised  Ticket timed out  Ticket T-1 (asking when it ships) on order O-1 "
        "should have been answered in time and was not; that is an escalation. "
        "Answer it now and offer a solution."
    )
    assert rest == ["Alerts:", "  Ticket timed out (warning): raised 1, resolved 0, open 1"]


def test_in_chinese_everything_is_chinese_and_in_chinas_time() -> None:
    first, *rest = show(an_alert("order.ship_late", "shipped"), language="zh-CN").splitlines()
    assert first.startswith("2026-11-10 08:15  警告·解除  发货超时  订单 O-1 已于北京时间 2026-11-10 08:15 发货")
    assert rest == ["告警汇总:", "  发货超时 (警告): 触发 0, 解除 1, 未解除 0"]


def test_an_alert_to_merchant_and_platform_is_shown_once() -> None:
    lines = show(an_alert("shipment.stalled"), an_alert("shipment.stalled", "resumed")).splitlines()
    assert len(lines) == 4
    assert "Have shop shop-7 trace it" in lines[0]
    assert lines[-1] == "  Parcel stalled (critical): raised 1, resolved 1, open 0"


def test_a_terminal_gets_colour_by_severity_and_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "COLORTERM", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    alerts = (an_alert("shipment.stalled"), an_alert("ticket.due_soon"), an_alert("ticket.due_soon", "responded"))
    shown = show(*alerts, out=Terminal())
    assert "\x1b[1;31mcritical·raised" in shown
    assert "\x1b[36minfo·raised" in shown
    assert "\x1b[32minfo·resolved" in shown
    assert "─" in shown
    assert "total" in shown


def test_nothing_in_an_alert_can_steer_the_terminal() -> None:
    shown = show(an_alert("shipment.slow", facility="hub\x1b[2J\r\nforged line [bold]x[/bold]"))
    assert "\x1b" not in shown
    assert "last seen at: hub\ufffd[2J\ufffd\ufffdforged line [bold]x[/bold]." in shown.splitlines()[0]


def test_without_alerts_the_summary_says_so() -> None:
    assert show() == "No alerts.\n"
    assert show(language="zh-CN") == "没有告警。\n"


def test_something_else_than_an_alert_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        AlertConsole("en", StringIO()).alert(b'{"specversion":"1.0"}')


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh-CN"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({}, "en"),
    ],
)
def test_the_language_is_that_of_the_locale(environment: dict[str, str], language: str) -> None:
    assert preferred_language(environment) == language
