"""The page about the workers' group."""

from __future__ import annotations

from aiohttp import web

from streams.console.frame import Frame
from streams.console.group import GroupWatch
from streams.status.report import by_kind
from streams.status.wording import remedy, what


class GroupPages:
    """The handler for `/group`."""

    def __init__(self, frame: Frame, group: GroupWatch) -> None:
        self._frame = frame
        self._group = group

    def routes(self) -> list[web.AbstractRouteDef]:
        """Its address."""
        return [web.get("/group", self._show)]

    async def _show(self, request: web.Request) -> web.Response:
        seen = await self._group.seen()
        tag = self._frame.look(request).tag
        findings = [(finding.wrong, what(finding, tag), remedy(finding, tag)) for finding in seen.findings]
        return self._frame.page(request, "group.html", seen=seen, told=seen.told, findings=findings, by_kind=by_kind)
