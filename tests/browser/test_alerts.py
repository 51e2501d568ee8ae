"""The alerts of the console in a real browser: live, filtered, by keyboard, on a phone, and readable for everyone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, expect

from schemas.times import HOUR, MINUTE
from streams.rules.alert import Alert
from tests.browser.accessibility import serious
from tests.unit.alerts.samples import T0, an_alert
from tests.unit.console.served import Served, served

MANY = 10_000


def late(number: int, **changed: object) -> Alert:
    """One of many alerts."""
    order = f"O-{number:05d}"
    made = an_alert("order.ship_late", subject=order, order_id=order, episode=f"{order}/1", time=T0 + number * MINUTE)
    return made._replace(shop_id=f"shop-{number % 50:02d}", **changed)  # type: ignore[arg-type]


@pytest.fixture
def console() -> Iterator[Served]:
    with served() as running:
        running.put(an_alert("shipment.stalled"), an_alert("carrier.feed_silent"), late(1), late(2))
        running.until(lambda text: text.count("data-key=") == 4)
        yield running


def rows(page: Page) -> list[str]:
    return page.locator("[data-rows] .title").all_inner_texts()


@pytest.mark.parametrize(
    ("locale", "scheme", "title"),
    [("en-GB", "light", "Parcel stalled"), ("zh-CN", "light", "包裹停滞"), ("zh-CN", "dark", "包裹停滞")],
)
def test_alerts_are_readable_for_everyone_in_each_language_and_scheme(
    browser: Browser, console: Served, locale: str, scheme: str, title: str
) -> None:
    context = browser.new_context(locale=locale, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(console.address)
    expect(page.locator("[data-rows] .title", has_text=title)).to_have_count(1)
    assert serious(page) == []
    page.locator("[data-rows] a", has_text=title).click()
    expect(page.locator("h1")).to_have_text(title)
    assert serious(page) == []
    context.close()


def test_an_alert_appears_and_disappears_without_a_reload(page: Page, console: Served) -> None:
    page.goto(console.address)
    expect(page.locator("#pulse")).to_have_text("live")
    page.evaluate("window.same = true")
    console.put(late(7))
    expect(page.get_by_text("Order O-00007, paid")).to_be_visible()
    ended = an_alert("order.ship_late", "shipped", subject="O-00007", order_id="O-00007", episode="O-00007/1")
    console.put(ended)
    expect(page.get_by_text("Order O-00007, paid")).to_have_count(0)
    assert page.evaluate("window.same") is True


def test_filters_apply_as_one_types_and_stay_in_the_address(page: Page, console: Served) -> None:
    page.goto(console.address)
    page.get_by_role("searchbox").fill("o-00002")
    expect(page.locator("[data-rows] li")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    page.get_by_label("Severity").select_option("critical")
    expect(page.locator("[data-rows] li")).to_have_count(2)
    assert "severity=critical" in page.url
    page.reload()
    expect(page.locator("[data-rows] li")).to_have_count(2)
    console.put(late(9))
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.get_by_text("Clear").click()
    expect(page.locator("[data-rows] li")).to_have_count(5)


def test_everything_is_reached_by_keys(page: Page, console: Served) -> None:
    page.goto(console.address)
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("O-0000")
    expect(page.locator("[data-rows] li")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("[data-rows] a").first).to_be_focused()
    first = page.locator("[data-rows] a .message").first.inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("article .message")).to_have_text(first)
    page.keyboard.press("Escape")
    expect(page.locator("[data-rows] li")).to_have_count(2)


def test_the_row_that_has_the_focus_keeps_it_when_others_come(page: Page, console: Served) -> None:
    page.goto(console.address)
    page.locator("[data-rows] a", has_text="O-00001").focus()
    console.put(late(8, time=T0 + HOUR * 24))
    expect(page.get_by_text("Order O-00008, paid")).to_be_visible()
    expect(page.locator("[data-rows] a", has_text="Order O-00001")).to_be_focused()


def test_language_and_appearance_are_a_readers_choice_that_lasts(page: Page, console: Served) -> None:
    page.goto(f"{console.address}/?severity=critical")
    page.get_by_text("中文").click()
    expect(page.locator("h1")).to_have_text("未解除的告警")
    assert "severity=critical" in page.url
    page.get_by_label("外观: 深色").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == "rgb(13, 17, 23)"


def test_a_phone_needs_no_sideways_scrolling(browser: Browser, console: Served) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page = context.new_page()
    for path in ("/", page_of_the_first(console)):
        page.goto(console.address + path)
        width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width[0] <= width[1] == 360
    context.close()


def page_of_the_first(console: Served) -> str:
    return "/alerts/" + console.get("/").text.partition('href="/alerts/')[2][:24]


def test_ten_thousand_open_alerts_do_not_slow_it_down(page: Page) -> None:
    few, many = speed(page, 100), speed(page, MANY)
    # A hundred times as many take a few times as long, on any machine.
    assert many.paint < few.paint * 5
    assert many.filtering < few.filtering * 10


class Speed(NamedTuple):
    """Milliseconds to the first paint, and from a key to the filtered list: of the fastest of several tries."""

    paint: float
    filtering: float


def speed(page: Page, count: int) -> Speed:
    """How fast the console is with so many open alerts."""
    with served() as console:
        console.put(*(late(number) for number in range(count)))
        console.until(lambda text: f"{count:,} in all" in text)
        paints = []
        for _ in range(3):
            page.goto(console.address)
            paints.append(page.evaluate(PAINT))
        took = page.evaluate(FILTER)
        expect(page.locator("[data-rows] li")).to_have_count(1)
        page.goto("about:blank")
    print(f"{count} open alerts: first paint {min(paints):.0f} ms, filter {', '.join(f'{one:.0f}' for one in took)} ms")
    return Speed(min(paints), min(took))


PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
    for (const one of list.getEntries()) if (one.name === 'first-contentful-paint') done(one.startTime);
}).observe({ type: 'paint', buffered: true }))"""

#: Each letter is a request of its own.
FILTER = """async () => {
    const field = document.querySelector('[data-search]');
    const times = [];
    for (const text of ['o-0', 'o-00', 'o-000', 'o-0004', 'o-00042']) {
        const shown = new Promise((done) => {
            new MutationObserver((_, watching) => { watching.disconnect(); done(); })
                .observe(document.getElementById('main'), { childList: true });
        });
        const began = performance.now();
        field.value = text;
        field.dispatchEvent(new Event('input', { bubbles: true }));
        await shown;
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - began);
    }
    return times;
}"""
