"""The pages with figures: shops, carriers, facilities and dead letters."""

from __future__ import annotations

from aiohttp import web

from streams.console import alert_list, carriers, charts, dead_letters, shops
from streams.console.alert_list import Filter
from streams.console.charts import Curve
from streams.console.frame import Frame
from streams.console.rendering import Page
from streams.console.shops import ShopFigures
from streams.console.store import Store
from streams.policy.model import Policy
from streams.rules.help_rate.levels import LEVELS

#: The longest text of a search.
_LONGEST = 200


class FigurePages:
    """Handlers that read figures from the store. `policy`: whose thresholds are drawn."""

    def __init__(self, frame: Frame, store: Store, policy: Policy) -> None:
        self._frame = frame
        self._store = store
        self._policy = policy

    def routes(self) -> list[web.AbstractRouteDef]:
        """Their addresses."""
        return [
            web.get("/shops", self._shops),
            web.get("/shops/{shop}", self._shop),
            web.get("/carriers", self._carriers),
            web.get("/facilities", self._facilities),
            web.get("/dead-letters", self._dead_letters),
        ]

    async def _shops(self, request: web.Request) -> web.Response:
        text = request.query.get("text", "").strip()[:_LONGEST]
        return self._frame.page(request, "shops.html", found=shops.shops(self._store, text), text=text)

    async def _shop(self, request: web.Request) -> web.Response:
        shop_id = request.match_info["shop"]
        found = shops.shop(self._store, shop_id, self._policy.help_rate)
        alerts = alert_list.listing(self._store, Filter(shop=shop_id))
        if found is None and not alerts.total:
            return await self._frame.missing(request)
        page = self._frame.look(request)
        chart = self._chart(page, found) if found is not None else ""
        return self._frame.page(
            request, "shop.html", shop_id=shop_id, found=found, chart=chart, alerts=alerts, levels=LEVELS,
            thresholds=shops.thresholds(found.means[-1:], self._policy.help_rate) if found is not None else {},
        )  # fmt: skip

    def _chart(self, page: Page, found: ShopFigures) -> str:
        curves = [
            Curve(page.label("rate_30"), "rate", found.month),
            Curve(page.label("rate_7"), "week", found.week),
            Curve(page.label("mean"), "mean", found.means),
        ]
        drawn = shops.thresholds(found.means, self._policy.help_rate)
        curves += [Curve(page.coded("levels", level), "level", points, dashed=True) for level, points in drawn.items()]
        title = page.label("chart_of", shop=found.shop)
        return charts.shares(curves, found.until, title, page.tag)

    async def _carriers(self, request: web.Request) -> web.Response:
        hours, found = carriers.carriers(self._store, self._policy.feed_silence)
        return self._frame.page(request, "carriers.html", hours=hours, found=found, rules=self._policy.feed_silence)

    async def _facilities(self, request: web.Request) -> web.Response:
        return self._frame.page(request, "facilities.html", found=carriers.facilities(self._store))

    async def _dead_letters(self, request: web.Request) -> web.Response:
        code = request.query.get("code", "")[:_LONGEST]
        return self._frame.page(
            request, "dead_letters.html", code=code, reasons=dead_letters.by_reason(self._store),
            samples=dead_letters.samples(self._store, code),
        )  # fmt: skip
