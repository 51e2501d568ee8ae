"""Every view of the console in a real browser: in each language, light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.decode import decode
from schemas.events import record_key
from tests.browser.accessibility import serious
from tests.unit.alerts.samples import an_alert
from tests.unit.console.figures import NOW, filled, rates, scan
from tests.unit.console.looking import Looking
from tests.unit.console.served import Served, served
from tests.unit.explain import scenes

#: By address: what each shows in English and in Chinese.
VIEWS = {
    "/": ("Open alerts", "未解除的告警"),
    "/timeline?subject=A": ("Alerts: why and why not", "告警判定"),
    "/shops": ("category's mean", "类目均值"),
    "/shops/s%2F%3C1%3E": ("What it would take", "怎样会变"),
    "/carriers": ("Scans by carrier and hour", "各快递公司每小时的扫描数"),
    "/facilities": ("Stalled parcels", "停滞包裹"),
    "/dead-letters": ("invalid-json", "只显示位置和原因"),
    "/group": ("Watermark", "水位线"),
}


@pytest.fixture(scope="module")
def console() -> Iterator[Served]:
    log = filled()
    for topic, value in scenes.late_order().events:
        log.append(topic, record_key(decode(topic, value)[0]).encode(), value)
    with served(log, look=Looking()) as running:
        running.put(an_alert("shipment.stalled"), an_alert("carrier.feed_silent"), an_alert("facility.stall_cluster"))
        running.until(lambda text: text.count("data-key=") == 3)
        yield running


@pytest.mark.parametrize("path", VIEWS)
@pytest.mark.parametrize(("locale", "scheme", "width"), [("en-GB", "light", 1280), ("zh-CN", "dark", 360)])
def test_each_view_is_readable_for_everyone(
    browser: Browser, console: Served, path: str, locale: str, scheme: str, width: int
) -> None:
    context = browser.new_context(
        locale=locale,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": width, "height": 740},
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.goto(console.address + path)
    expect(page.locator("main")).to_contain_text(VIEWS[path][locale == "zh-CN"])
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert faults == []
    context.close()


#: Cells of a table of cards whose column is not told beside them.
UNNAMED = """() => [...document.querySelectorAll('.cards td')].filter(
    (cell) => getComputedStyle(cell, '::before').content.length < 3 || !cell.dataset.label).length"""
#: Heads of tables that are cut inside a word: wider than they are shown.
CUT = """() => [...document.querySelectorAll('table th')].filter((cell) => {
    const word = document.createElement('span');
    word.style.cssText = 'position: absolute; white-space: nowrap; visibility: hidden';
    word.textContent = cell.innerText.trim().split(/\\s+/).sort((a, b) => b.length - a.length)[0];
    cell.append(word);
    const cut = word.offsetWidth > cell.clientWidth;
    word.remove();
    return cut;
}).map((cell) => cell.innerText)"""


@pytest.mark.parametrize("path", ["/shops", "/carriers", "/facilities", "/dead-letters", "/group"])
def test_a_row_is_a_card_on_a_phone_and_no_word_is_cut_on_a_desk(browser: Browser, console: Served, path: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(console.address + path)
    assert page.evaluate(UNNAMED) == 0
    assert page.locator(".cards td").first.evaluate("cell => getComputedStyle(cell).display") == "flex"
    page.set_viewport_size({"width": 700, "height": 740})
    assert page.locator(".cards td").first.evaluate("cell => getComputedStyle(cell).display") == "table-cell"
    assert page.evaluate(CUT) == []
    context.close()


def test_a_timeline_comes_by_itself_once_it_has_been_read(page: Page, console: Served) -> None:
    page.goto(console.address + "/timeline")
    page.keyboard.press("/")
    page.keyboard.type("K")
    page.keyboard.press("Enter")
    expect(page.locator("article h2")).to_have_text("Ticket K")
    page.locator("summary").first.click()
    expect(page.get_by_text("would have been raised at").first).to_be_visible()


def test_a_shops_chart_follows_its_rate(page: Page, console: Served) -> None:
    page.goto(console.address + "/shops")
    page.locator("tbody a").first.click()
    expect(page.locator("figure svg path")).to_have_count(6)
    page.evaluate("window.same = true")
    console.log.append("help-rates", b"s/<1>", rates("s/<1>", NOW + 3_600_000_000, 31))
    expect(page.locator("tr", has_text="escalations that count").locator("td").last).to_have_text("31")
    assert page.evaluate("window.same") is True


def test_a_cell_of_the_heat_map_tells_its_hour_and_count(page: Page, console: Served) -> None:
    console.log.append("logistics-scans", b"P1", scan("ZTO", NOW))
    page.goto(console.address + "/carriers")
    expect(page.locator(".heat td[title$=': 2 scans']")).to_have_class("h5")
