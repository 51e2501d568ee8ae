"""The pages are in order: each has its place in the site and in the list, and what is made from the code is current."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from schemas import events_page
from schemas.events import EVENTS
from streams.cli import page as cli_page
from streams.cli.main import COMMANDS, command_of
from streams.policy import load
from streams.policy import page as settings_page
from streams.policy.settings import settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = (DOCS / "README.md").read_text()


def navigated() -> dict[str, list[str]]:
    """The pages of the site's navigation, by section."""
    nav: list[dict[str, Any]] = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    sections = {title: pages for one in nav for title, pages in one.items() if isinstance(pages, list)}
    return {
        title: [page if isinstance(page, str) else next(iter(page.values())) for page in pages]
        for title, pages in sections.items()
    }


def listed() -> dict[str, list[str]]:
    """The pages of docs/README.md, by section; a folder is its page."""
    found = {}
    for section in INDEX.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        links = re.findall(r"^- \[[^\]]+\]\(([^)]+)\):", body, re.MULTILINE)
        places = [(DOCS / link).resolve().relative_to(ROOT.resolve()).as_posix() for link in links]
        found[title] = [place if place.endswith(".md") else f"{place}/README.md" for place in places]
    return found


def test_every_page_has_its_place_in_the_navigation() -> None:
    lacking = {f"docs/{path.name}" for path in DOCS.glob("*.md")} - {"docs/README.md"}
    lacking -= {page for pages in navigated().values() for page in pages}
    assert not lacking, "add them to nav in zensical.toml, and to docs/README.md"


def test_the_list_of_pages_is_that_of_the_navigation() -> None:
    assert listed() == navigated()


def test_every_page_of_the_runbook_is_in_its_list() -> None:
    text = (DOCS / "runbook/README.md").read_text()
    assert {path.name for path in (DOCS / "runbook").glob("*.md")} - {"README.md"} == set(
        re.findall(r"\]\((\w+\.md)\)", text)
    )


def test_each_decision_has_a_number_of_its_own() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in pages] == list(range(1, len(pages) + 1))
    assert [int(path.read_text()[2:].partition(".")[0]) for path in pages] == list(range(1, len(pages) + 1))


@pytest.mark.parametrize("made", [cli_page, settings_page, events_page], ids=lambda made: made.FILE.name)
def test_pages_that_are_made_from_the_code_are_current(made: ModuleType, tmp_path: Path) -> None:
    assert made.main(["--check"]) == 0, "make reference"
    old = tmp_path / "old.md"
    assert made.main(["--check", str(old)]) == 1
    made.main([str(old)])
    assert made.main(["--check", str(old)]) == 0


def test_the_page_of_commands_has_each_with_every_option_and_variable() -> None:
    _, *parts = re.split(r"^### parcelwatch (\w+)$", (DOCS / "cli.md").read_text(), flags=re.MULTILINE)
    shared = (DOCS / "cli.md").read_text().partition("## Options that commands share")[2]
    told = dict(zip(parts[::2], parts[1::2], strict=True))
    assert told.keys() == COMMANDS.keys()
    for name, text in told.items():
        for parameter in command_of(name).params:
            if parameter.param_type_name == "option":
                assert f"`{parameter.envvar}`" in text + shared, (name, parameter.name)


def test_the_page_of_settings_has_each_of_the_default_policy() -> None:
    text = (DOCS / "settings.md").read_text()
    _, found = settings(load.DEFAULT)
    assert set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)) == {one.name for one in found}
    assert "another kind of value" not in text


def test_the_page_of_events_has_each_type() -> None:
    headings = re.findall(r"^### (.+)$", (DOCS / "events.md").read_text(), re.MULTILINE)
    assert {str(struct.__struct_config__.tag) for structs in EVENTS.values() for struct in structs} <= set(headings)


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted(DOCS.glob("**/*.md")), ids=lambda path: path.name)
def test_no_pipe_is_escaped_within_backticks(path: Path) -> None:
    # A forge shows a pipe there, the site the escape as well: <code>A&#124;B</code> is the same to both.
    rows = [line for line in path.read_text().splitlines() if line.startswith("|")]
    assert not [row for row in rows if re.search(r"`[^`|]*\\\|[^`]*`", row)]
