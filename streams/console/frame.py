"""What every page has in common: its frame, the reader's choices, the stream of changes, and signing in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from streams.alerts.languages import LANGUAGES
from streams.console.feed import Feed
from streams.console.guard import COOKIE, SIGN_IN, Guard
from streams.console.rendering import Page

#: The pages of the menu: address, and label. The last is that of the group, where there is one.
NAVIGATION = (
    ("/", "alerts"),
    ("/timeline", "timeline"),
    ("/shops", "shops"),
    ("/carriers", "carriers"),
    ("/facilities", "facilities"),
    ("/dead-letters", "dead_letters"),
    ("/group", "group"),
)
_ASSETS = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}
#: The header by which a page that is open asks for its live part alone.
LIVE = "X-Live"
_THEMES = ("light", "dark")
_YEAR = 31_536_000
#: Seconds between two messages about changes, and of silence after which one shows that the connection is alive.
_PAUSE, _ALIVE = 0.5, 15.0


class Frame:
    """Renders pages, and serves what belongs to none.

    `language`: of readers whose browser asks for none that there is.
    """

    def __init__(self, feed: Feed, guard: Guard, language: str, *, with_group: bool) -> None:
        self._navigation = NAVIGATION if with_group else NAVIGATION[:-1]
        self._feed = feed
        self._store = feed.store
        self._guard = guard
        self._language = language
        folder = resources.files("streams.console") / "assets"
        self._assets = {name: (folder / name).read_bytes() for name in _ASSETS}
        self._ending = asyncio.Event()

    def routes(self) -> list[web.AbstractRouteDef]:
        """The addresses that are no page. The last takes all that is left."""
        get: Callable[..., web.RouteDef] = web.get
        return [
            get("/live", self._live),
            get("/livez", self._alive),
            get("/assets/{name}", self._asset),
            get("/set/{what:lang|theme}/{value}", self._set),
            get(SIGN_IN, self._sign_in),
            web.post(SIGN_IN, self._sign_in),
            get("/{path:.*}", self.missing),
        ]

    def end(self) -> None:
        """Ends the streams of changes, which would otherwise outlast the server."""
        self._ending.set()
        self._feed.tell()

    # -- what belongs to no page

    async def _live(self, request: web.Request) -> web.StreamResponse:
        """A stream of events: the version of what is shown, whenever it has changed."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        told = None
        try:
            while not self._ending.is_set():
                version = self._feed.revision
                await response.write(b": alive\n\n" if version == told else f"data: {version}\n\n".encode())
                told = version
                await self._feed.changed(_ALIVE)
                await asyncio.sleep(_PAUSE)
        except ConnectionResetError:
            pass
        return response

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"alive": True, "caught_up": self._feed.standing.caught_up})

    async def _asset(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._assets:
            return await self.missing(request)
        return web.Response(body=self._assets[name], content_type=_ASSETS[name], charset="utf-8")

    async def _set(self, request: web.Request) -> web.Response:
        """Keeps a reader's choice of language or appearance in a cookie, and goes back to the page."""
        what, value = request.match_info["what"], request.match_info["value"]
        if value not in (LANGUAGES if what == "lang" else _THEMES):
            return await self.missing(request)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": _local(request.query.get("to", "/"))})
        response.set_cookie(what, value, max_age=_YEAR, httponly=True, samesite="Strict")
        return response

    async def _sign_in(self, request: web.Request) -> web.Response:
        if request.method != "POST":
            return self.page(request, "sign_in.html", signed_out=True, wrong=False)
        given = str((await request.post()).get("token", ""))
        cookie = self._guard.signed_in(given)
        if cookie is None:
            return self.page(request, "sign_in.html", HTTPStatus.FORBIDDEN, signed_out=True, wrong=True)
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
        response.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict")
        return response

    async def missing(self, request: web.Request) -> web.Response:
        """The answer where there is no such page."""
        return self.page(request, "not_found.html", HTTPStatus.NOT_FOUND)

    def page(
        self,
        request: web.Request,
        template: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        signed_out: bool = False,
        **values: Any,
    ) -> web.Response:
        """A page as an answer. `signed_out`: without the menu and without anything of the store."""
        page = self.look(request)
        head = next((path for path, _ in NAVIGATION if path != "/" and request.path.startswith(path)), "/")
        layout = "live.html" if LIVE in request.headers else "base.html"
        known: dict[str, Any] = {
            "layout": layout,
            "here": head,
            "to": request.path_qs,
            "nav": () if signed_out else self._navigation,
        }
        if not signed_out:
            known |= {"standing": self._feed.standing, "version": self._feed.revision}
        return web.Response(
            status=status, text=page.html(template, **known, **values), content_type="text/html", charset="utf-8"
        )

    def look(self, request: web.Request) -> Page:
        """How the reader wants pages."""
        theme = request.cookies.get("theme", "")
        return Page(self._tag(request), theme if theme in _THEMES else "")

    def _tag(self, request: web.Request) -> str:
        chosen = request.cookies.get("lang", "")
        if chosen in LANGUAGES:
            return chosen
        for part in request.headers.get("Accept-Language", "").lower().split(","):
            asked = part.partition(";")[0].strip()
            for tag, language in LANGUAGES.items():
                if asked.startswith(language.locale):
                    return tag
        return self._language


def _local(target: str) -> str:
    """An address of this server, whatever is asked for."""
    parts = urlsplit(target)
    local = parts.path.startswith("/") and not parts.path.startswith("//") and not parts.scheme and not parts.netloc
    if not local or "\\" in target or not target.isprintable():
        return "/"
    return target
