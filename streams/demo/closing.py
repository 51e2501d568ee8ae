"""The demo's opening, progress lines and closing summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from schemas.outputs import HelpRates
from schemas.times import DAY
from streams.alerts.facts import percent
from streams.demo.console import AlertConsole
from streams.explain.facts import Coded
from streams.explain.wording import Words
from streams.marketplace.market import Plan

_SAYS: dict[str, dict[str, str]] = {
    "en": {
        "intro": "A simulated marketplace of {shops} shops with about {orders} orders a day, from {start} on; "
        "{pace:g} days pass in a second.",
        "how": "The worker is the real one, on an in-memory log. A sample of its alerts is shown, most severe first; "
        "all are counted. Watch {shop}: its buyers lose patience.",
        "ends": "Ctrl-C ends it.",
        "console": "Console, in your browser: {address}",
        "progress": "{now}: {events:,} events read, {alerts:,} alerts, {hidden:,} of them not shown",
        "events": "{events:,} events of {days:.0f} days read in {seconds:.1f} s, {rate:,.0f} a second; "
        "{dead} records were invalid and became dead letters.",
        "today": "The marketplace has reached the present.",
        "shop": "{shop}: help rate {rate} over 30 days, {multiple} the mean {baseline} of its category "
        "({category}); state: {state}.",
        "early": "{shop}: no help rate yet. It takes 30 orders, and 5 such shops in its category: some seconds more.",
        "unjudged": "{shop}: help rate {rate} over 30 days; its category ({category}) has no mean yet.",
        "multiple": "{times:.1f} times",
    },
    "zh-CN": {
        "intro": "虚构的电商平台：{shops} 家店铺，每天约 {orders} 笔订单，从 {start} 开始；一秒过 {pace:g} 天。",
        "how": "运行的就是生产环境用的 worker，只是消息日志放在内存里。"
        "屏幕上只显示部分告警，越严重越优先；统计包含全部告警。请留意 {shop}：它的买家越来越不满。",
        "ends": "按 Ctrl-C 结束。",
        "console": "控制台（用浏览器打开）：{address}",
        "progress": "{now}：已读 {events:,} 条事件，{alerts:,} 条告警，其中 {hidden:,} 条未显示",
        "events": "{seconds:.1f} 秒读完 {days:.0f} 天的 {events:,} 条事件，每秒 {rate:,.0f} 条；"
        "{dead} 条记录不是有效事件，已转入死信。",
        "today": "虚构的时间已经走到现在。",
        "shop": "{shop}：近 30 天平台求助率 {rate}，是所在类目（{category}）均值 {baseline} 的 {multiple}；"
        "状态：{state}。",
        "early": "{shop}：尚无平台求助率。店铺满 30 笔订单、类目内有 5 家这样的店铺后才会评定，再多看几秒即可。",
        "unjudged": "{shop}：近 30 天平台求助率 {rate}；所在类目（{category}）尚无均值。",
        "multiple": "{times:.1f} 倍",
    },
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `help_rate`: the last record of the table for the shop that was watched, if there is one."""

    events: int
    dead: int
    days: float
    seconds: float
    reached_present: bool
    help_rate: HelpRates | None


class Narrator:
    """Speaks through an AlertConsole, in its language."""

    def __init__(self, alerts: AlertConsole, plan: Plan, shop_id: str) -> None:
        self._alerts = alerts
        self._plan = plan
        self._shop_id = shop_id
        self._says = _SAYS[alerts.language]

    def opening(self, pace: float, *, ends_itself: bool, console: str | None) -> None:
        """What is going on, before anything happens. `console`: its address."""
        plan = self._plan
        if console is not None:
            self._say("console", address=console)
        date = self._alerts.minute(plan.start)[:10]
        self._say("intro", shops=plan.shops, orders=plan.orders_per_day, start=date, pace=pace)
        self._say("how", shop=self._shop_id)
        if not ends_itself:
            self._say("ends")
        self._alerts.console.print()

    def progress(self, now: int, events: int, hidden: int) -> str:
        """One line about where we are; `now` in microseconds."""
        alerts = self._alerts.total
        return self._says["progress"].format(
            now=self._alerts.minute(now)[:10], events=events, alerts=alerts, hidden=hidden
        )

    def closing(self, outcome: Outcome) -> None:
        """What came of it."""
        print_ = self._alerts.console.print
        print_()
        if outcome.reached_present:
            self._say("today")
        self._alerts.summary()
        print_()
        rate = outcome.events / outcome.seconds if outcome.seconds else 0.0
        self._say("events", events=outcome.events, days=outcome.days, seconds=outcome.seconds, rate=rate,
                  dead=outcome.dead)  # fmt: skip
        self._shop(outcome.help_rate)

    def _shop(self, row: HelpRates | None) -> None:
        rate = row.days_30.rate if row is not None else None
        if row is None or rate is None:
            self._say("early", shop=self._shop_id)
            return
        baseline = row.baseline
        known = {"shop": self._shop_id, "rate": percent(rate), "category": row.main_category}
        if not baseline:
            self._say("unjudged", **known)
            return
        state = Words(self._alerts.language).coded(Coded("levels", row.state))
        multiple = self._says["multiple"].format(times=rate / baseline)
        self._say("shop", **known, baseline=percent(baseline), multiple=multiple, state=state)

    def _say(self, what: str, **values: Any) -> None:
        self._alerts.console.print(self._says[what].format(**values), markup=False)


def days_of(plan: Plan, now: int) -> float:
    """How many days of the plan have passed at `now` (microseconds)."""
    return (now - plan.start) / DAY
