"""The built documentation: every link leads somewhere, and a page asks nobody else for anything."""

from __future__ import annotations

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
SITE = ROOT / "target/docs/site"
PAGES = sorted(SITE.rglob("*.html"))
#: What a browser loads by itself.
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}


class Page(HTMLParser):
    """What a page has to be led to, leads to, and loads."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := values.get(name)) is not None}
        if (href := values.get("href")) is not None and tag == "a":
            self.links.append(href)
        if tag in LOADED and (place := values.get(LOADED[tag])) and values.get("rel") != "canonical":
            self.loaded.append(place)


@cache
def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text("utf-8"))
    return page


def target(path: Path, link: str) -> Path:
    """The file that a relative link leads to; a folder is its page."""
    place = unquote(urlsplit(link).path)
    found = SITE / place.lstrip("/") if place.startswith("/") else path.parent / place
    found = found if place else path
    return found / "index.html" if found.is_dir() else found


def test_the_site_is_there() -> None:
    names = {path.relative_to(SITE).as_posix() for path in PAGES}
    assert {"index.html", "docs/index.html", "docs/cli.html", "docs/runbook/ParcelwatchDown.html"} <= names
    assert len(names) > 70
    assert (SITE / "docs/images/console-alerts.png").is_file()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(SITE).as_posix())
def test_every_link_leads_to_a_file_and_an_anchor_that_are_there(path: Path) -> None:
    page = read(path)
    dead = []
    for link in [*page.links, *page.loaded]:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        found = target(path, link)
        if not found.is_file() or (
            parts.fragment and found.suffix == ".html" and unquote(parts.fragment) not in read(found).ids
        ):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(SITE).as_posix())
def test_a_page_loads_nothing_from_elsewhere(path: Path) -> None:
    assert not [place for place in read(path).loaded if urlsplit(place).scheme or urlsplit(place).netloc]


def test_styles_load_nothing_from_elsewhere() -> None:
    styles = "".join(path.read_text("utf-8") for path in SITE.rglob("*.css"))
    assert styles
    loaded = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s]+)", styles)
    assert not [place for place in loaded if not place.startswith("data:") and "//" in place]
