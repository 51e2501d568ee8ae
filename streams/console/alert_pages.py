"""The pages about alerts: the list with its filter, and one alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from streams.console import alert_list
from streams.console.alert_list import Filter
from streams.console.frame import Frame
from streams.console.store import Store
from streams.rules.alert_types import ALERT_TYPES

#: What a timeline can be told of.
_TOLD = frozenset({"shipment", "order", "ticket", "conversation", "shop"})


class AlertPages:
    """Handlers that read alerts from the store."""

    def __init__(self, frame: Frame, store: Store) -> None:
        self._frame = frame
        self._store = store

    def routes(self) -> list[web.AbstractRouteDef]:
        """Their addresses."""
        return [web.get("/", self._alerts), web.get("/alerts/{key}", self._alert)]

    async def _alerts(self, request: web.Request) -> web.Response:
        wanted = Filter.of(request.query)
        found = alert_list.listing(self._store, wanted)
        shown = {name: getattr(wanted, name) for name in Filter.__slots__}
        return self._frame.page(
            request, "alerts.html", wanted=_Wanted(shown, wanted), found=found, values=alert_list.offered(self._store)
        )

    async def _alert(self, request: web.Request) -> web.Response:
        alert = alert_list.find(self._store, request.match_info["key"])
        if alert is None:
            return await self._frame.missing(request)
        others = alert_list.history(self._store, alert)
        return self._frame.page(request, "alert.html", alert=alert, others=others, explained=_is_told(alert["type"]))


class _Wanted(dict[str, Any]):
    """A filter for templates: its fields, and its query with some of them changed."""

    def __init__(self, fields: Mapping[str, Any], wanted: Filter) -> None:
        super().__init__(fields)
        self.query = wanted.query


def _is_told(type_: str) -> bool:
    """Whether there is a timeline of what a type of alert is about."""
    known = ALERT_TYPES.get(type_)
    return known is not None and known.about in _TOLD
