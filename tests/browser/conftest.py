"""A browser for the whole run, and a page of it for each test that fails on any fault the browser reports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.chromium import executable
from tests.patience import PATIENCE


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium. Playwright's event loop runs as long: behind it, tests with loops of their own would find it."""
    found = executable()
    assert found is not None, "no Chromium: see tests/browser/chromium.py"
    with sync_playwright() as playwright:
        # Without a sandbox: in a container the tests run as root, and the pages are our own.
        running = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], timeout=PATIENCE * 1000
        )
        running.on("context", lambda context: context.set_default_timeout(PATIENCE * 1000))
        expect.set_options(timeout=PATIENCE * 1000)
        yield running
        running.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page. Whatever it complains of (an error, a breach of the security policy), or asks of others, fails it."""
    made = context.new_page()
    faults: list[str] = []
    made.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    made.on("pageerror", lambda error: faults.append(str(error)))
    made.on(
        "request",
        lambda request: None if request.url.startswith("http://127.0.0.1:") else faults.append(request.url),
    )
    yield made
    assert not faults
