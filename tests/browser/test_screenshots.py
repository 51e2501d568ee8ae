"""The documentation's pictures of the console: `make screenshots` keeps what this test sees."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.marketplace import lived
from tests.unit.console.served import Served, served

#: By file: the address, what must be on it, the language, the scheme, and the width.
PICTURES = {
    "alerts": ("/", "Parcel stalled", "en-GB", "light", 1200),
    "shop": ("/shops/shop-001", "What it would take", "en-GB", "light", 1200),
    "carriers-zh": ("/carriers", "各快递公司每小时的扫描数", "zh-CN", "dark", 1200),
    "timeline-zh": ("/timeline?subject={parcel}", "告警判定", "zh-CN", "light", 1200),
    "phone-zh": ("/", "包裹停滞", "zh-CN", "light", 390),
}


@pytest.fixture(scope="module")
def console() -> Iterator[Served]:
    with served(lived()) as running:
        running.until(lambda page: "not complete" not in page)
        yield running


@pytest.mark.parametrize("name", PICTURES)
def test_the_marketplace_is_shown(browser: Browser, console: Served, tmp_path: Path, name: str) -> None:
    path, text, locale, scheme, width = PICTURES[name]
    parcel = re.search(r"Parcel (\w+) \(\w+, order", console.get("/?type=shipment.stalled").text)
    assert parcel is not None
    context = browser.new_context(
        locale=locale,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 760},
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(console.address + path.format(parcel=parcel[1]))
    expect(page.locator("main")).to_contain_text(text)
    expect(page.locator("#pulse")).to_have_class("pulse on")
    folder = Path(os.environ.get("PARCELWATCH_TEST_SCREENSHOTS", tmp_path))
    page.screenshot(path=folder / f"console-{name}.png")
    assert (folder / f"console-{name}.png").stat().st_size > 10_000
    context.close()
