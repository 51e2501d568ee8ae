"""Who may ask the console, and what a browser may do with its answers."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from streams.console.guard import is_loopback
from tests.unit.console.served import Served, served

TOKEN = "correct-horse-battery"  # noqa: S105


@pytest.fixture(scope="module")
def console() -> Iterator[Served]:
    with served(allowed_hosts=("desk.example",)) as running:
        yield running


@pytest.fixture(scope="module")
def locked() -> Iterator[Served]:
    with served(token=TOKEN) as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/nowhere", "/assets/console.js", "/livez", "/sign-in"])
def test_every_answer_lets_a_page_load_from_this_server_alone(console: Served, path: str) -> None:
    headers = console.get(path).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert all(set(value.split()) <= {"'none'", "'self'"} for value in policy.values())
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("localhost:1", 200), ("LOCALHOST", 200), ("[::1]:99", 200), ("desk.example:8080", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("evil.example:127", 421), ("", 421),
    ],
)  # fmt: skip
def test_a_host_name_that_is_not_ours_is_refused(console: Served, host: str, status: int) -> None:
    assert console.get("/", {"Host": host}).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_but_reading_is_allowed(console: Served, method: str) -> None:
    assert console.ask(method, "/").status == 405


def test_without_the_token_nothing_is_shown(locked: Served) -> None:
    assert locked.get("/", {"Accept": "*/*"}).status == 401
    for path in ("/", "/alerts/x", "/live", "/set/lang/en"):
        answer = locked.get(path)
        assert (answer.status, answer.headers["Location"], answer.text) == (303, "/sign-in", "")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {TOKEN}", 200), (f"bearer {TOKEN}", 200), (f"Bearer {TOKEN}x", 303), (f"Bearer {TOKEN[:-1]}", 303),
        (f"Basic {TOKEN}", 303), ("Bearer", 303), ("Bearer \udcff", 303),
    ],
)  # fmt: skip
def test_the_token_opens_every_page(locked: Served, given: str, status: int) -> None:
    assert (
        locked.get("/", {"Authorization": given.encode("utf-8", "surrogateescape").decode("latin-1")}).status == status
    )


def test_whoever_signs_in_gets_a_cookie_that_is_not_the_token(locked: Served) -> None:
    assert 'name="token"' in locked.get("/sign-in").text
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    wrong = locked.ask("POST", "/sign-in", form, urlencode({"token": "no"}))
    assert (wrong.status, wrong.headers["Set-Cookie"]) == (403, None)
    right = locked.ask("POST", "/sign-in", form, urlencode({"token": TOKEN}))
    cookie = right.headers["Set-Cookie"]
    assert right.status == 303
    assert TOKEN not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert locked.get("/", {"Cookie": cookie.partition(";")[0]}).status == 200
    assert locked.get("/", {"Cookie": "parcelwatch-console="}).status == 303


@pytest.mark.parametrize(
    ("target", "goes"),
    [
        ("/?text=a%26b", "/?text=a%26b"), ("//evil.example/", "/"), ("https://evil.example/", "/"), ("/\\evil", "/"),
        ("javascript:alert(1)", "/"), ("/a\r\nX: y", "/"),
    ],
)  # fmt: skip
def test_a_choice_of_language_leads_back_to_this_server(console: Served, target: str, goes: str) -> None:
    answer = console.get(f"/set/lang/en?{urlencode({'to': target})}")
    assert (answer.status, answer.headers["Location"]) == (303, goes)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("192.0.2.1", False), ("::", False),
     ("desk.example", False)],
)  # fmt: skip
def test_loopback_is_what_this_machine_alone_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
