"""Who may ask, and what a browser may do with the answer.

- The request's `Host` is one of those known: a page elsewhere cannot point its own name at this address and read.
- With a token, every page wants it: as `Authorization: Bearer`, or as the cookie that the sign-in page gives for it.
- The content security policy lets pages load from this server alone, and run no script or style that is in the page.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

POLICY = "; ".join(
    (
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
        "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
    )
)  # fmt: skip
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
COOKIE = "parcelwatch-console"
SIGN_IN = "/sign-in"
#: What needs no token: the sign-in page and what it is shown with, and the probe.
_FREE = ("/assets/", SIGN_IN, "/livez")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Guard:
    """`host`: the address that is listened on; `allowed`: more names by which the console is reached."""

    def __init__(self, host: str, allowed: Iterable[str] = (), token: str | None = None) -> None:
        self._hosts = _LOOPBACK | {_name(host), *map(_name, allowed)}
        self._token = token
        # The cookie is no token: it is worth nothing after a restart.
        self._cookie = secrets.token_urlsafe(32)

    def middleware(self) -> Middleware:
        """For the application; the outermost."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            refused = self._refused(request)
            try:
                response = refused if refused is not None else await handler(request)
            except web.HTTPException as raised:
                raised.headers.update(HEADERS)
                raise
            if not response.prepared:
                response.headers.update(HEADERS)
                if request.path.startswith("/assets/") and response.status == HTTPStatus.OK:
                    response.headers["Cache-Control"] = "no-cache"
            return response

        return guarded

    def signed_in(self, token: str) -> str | None:
        """The cookie for whoever knows the token."""
        return self._cookie if self._token is not None and _same(token, self._token) else None

    def _refused(self, request: web.Request) -> web.Response | None:
        # HTTP/1.0 has no Host header, and no browser speaks it.
        if _without_port(request.headers.get("Host", "")) not in self._hosts:
            return _plain(HTTPStatus.MISDIRECTED_REQUEST, "unknown host name: see --allowed-host")
        if self._token is None or request.path.startswith(_FREE) or self._knows(request):
            return None
        if "text/html" in request.headers.get("Accept", ""):
            return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": SIGN_IN})
        refusal = _plain(HTTPStatus.UNAUTHORIZED, "a bearer token is needed")
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal

    def _knows(self, request: web.Request) -> bool:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._token is not None and _same(given.strip(), self._token):
            return True
        return _same(request.cookies.get(COOKIE, ""), self._cookie)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())


def _name(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host.lower()


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _plain(status: HTTPStatus, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")
