"""The tree keeps to its habits: what tests import, where they lie, what is declared, what modules are called."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.deploy import ROOT

#: Ours, and what the standard library of a later Python brings.
OWN = {"streams", "schemas", "tests", "bench", "compression"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: Of the standard library of later versions.
LATER = {"compression"}
#: What is imported where an option asks for it alone.
OPTIONAL = {
    canonicalize_name(Requirement(one).name)
    for name, extra in PROJECT["optional-dependencies"].items()
    if name != "dev"
    for one in extra
    if not one.startswith("parcelwatch")
}
#: Folders of unit tests that are about no package of that name.
OF_NO_PACKAGE = {"bench", "deploy", "privacy", "schemas", "examples"}


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def defined(node: ast.stmt) -> list[str]:
    """The public names that a statement of a module gives: functions, classes, constants."""
    names: list[str] = []
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        names = [node.name]
    elif isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        names = [node.target.id]
    return [name for name in names if not name.startswith("_")]


def test_tests_import_nothing_from_tests() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in modules("tests", "bench")
        for name in imported(path)
        if re.search(r"^(tests|bench)\..*\btest_[a-z_]+$", name)
    }
    assert not found


def test_everything_that_is_imported_directly_is_declared() -> None:
    declared = {canonicalize_name(Requirement(one).name) for one in PROJECT["dependencies"]} | OPTIONAL
    distributions = packages_distributions()
    lacking = {
        (name.partition(".")[0], path.relative_to(ROOT).as_posix())
        for path in modules("streams", "schemas")
        for name in imported(path)
        if (top := name.partition(".")[0]) not in OWN | LATER | set(sys.stdlib_module_names)
        and not declared & {canonicalize_name(one) for one in distributions.get(top, [])}
    }
    assert not lacking


def test_unit_tests_mirror_the_packages() -> None:
    folders = {path.name for path in (ROOT / "tests/unit").iterdir() if path.is_dir() and path.name != "__pycache__"}
    packages = {path.parent.name for path in (ROOT / "streams").glob("*/__init__.py")}
    assert folders - OF_NO_PACKAGE <= packages
    inside = {path.name for path in (ROOT / "tests/unit/rules").iterdir() if (path / "__init__.py").exists()}
    assert inside <= {path.parent.name for path in (ROOT / "streams/rules").glob("*/__init__.py")}


def test_public_names_mean_one_thing_in_rules_and_stages() -> None:
    where: dict[str, list[str]] = {}
    for path in modules("streams/rules", "streams/stages"):
        for node in ast.parse(path.read_text()).body:
            for name in defined(node):
                where.setdefault(name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


def test_the_extra_all_has_every_other_one_that_an_index_has() -> None:
    extras = PROJECT["optional-dependencies"]
    (every,) = extras["all"]
    # The native part is built from its sources; what is for development is nobody else's.
    assert Requirement(every).extras == extras.keys() - {"all", "dev", "native"}


def test_nothing_is_a_link() -> None:
    """Archives, and systems without links, give a file that holds a path instead."""
    mine = [path for path in ROOT.iterdir() if path.name not in {".git", "target"}]
    # The product's environment, and those of whom it is compared with.
    tops = [path for path in mine if not path.name.startswith(".venv")]
    assert [path for top in tops for path in (top, *top.rglob("*")) if path.is_symlink()] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    assert not [path for path in modules("streams", "schemas", "tests", "bench") if path.stem in vague]


def test_types_are_published() -> None:
    assert (ROOT / "streams/py.typed").exists()
    assert (ROOT / "schemas/py.typed").exists()
