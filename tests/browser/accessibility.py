"""What axe-core finds wrong with a page for those who read it otherwise than by eye and mouse."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

#: Faults that fail a test.
SERIOUS = ("serious", "critical")


def serious(page: Page) -> list[str]:
    """The serious faults: the rule, and the first element that breaks it."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in SERIOUS]
