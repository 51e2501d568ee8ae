"""A reader's browser shows the documentation without asking anybody else, which the fixture `page` watches over."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import executable
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(executable() is None, reason="no Chromium (Debian: apt install chromium)")


def test_a_reader_goes_from_the_first_page_to_the_commands(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_contain_text("parcelwatch")
    page.get_by_role("link", name="Commands", exact=True).first.click()
    expect(page.get_by_role("heading", name="parcelwatch replay")).to_be_visible()
    expect(page.get_by_role("cell", name="PARCELWATCH_UNTIL").first).to_be_visible()
    # A pipe in a table's cell is one, without the escape that the source has.
    expect(page.get_by_text("--policy NAME|FILE").first).to_be_visible()


def test_search_finds_a_page(page: Page, address: str) -> None:
    page.goto(address)
    field = page.get_by_role("combobox", name="Search")
    # The key is not heard before the page's script has come to it, and says nothing of when it has.
    until = time.monotonic() + PATIENCE
    while not field.is_visible() and time.monotonic() < until:
        page.keyboard.press("/")
        page.wait_for_timeout(100)
    field.fill("Feed silence")
    expect(page.get_by_role("option", name="Feed silence").first).to_be_visible()
