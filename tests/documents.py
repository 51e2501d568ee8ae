"""What the documents say: their blocks, the commands in them, and what these are said to print."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    [*ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

#: What a shell's line begins with, where it stands indented and not in a block.
_PROGRAMS = ("parcelwatch", "make", "python", "python3", "pip", "kubectl", "helm", "docker", "export", "cp")
_SHELL = ("console", "sh", "bash", "shell")
_OPERATORS = {"|", "||", "&&", ";", "&", "(", ")", ";;"}


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks whose info string is `language`."""
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


def steps(block: str) -> Iterator[tuple[str, list[str]]]:
    """Commands (`$ ` begins one, `<<'END'` continues it up to END) and the lines that they are said to print."""
    lines = iter(block.splitlines())
    command, printed = "", list[str]()
    for line in lines:
        if not line.startswith("$ "):
            printed.append(line)
            continue
        if command:
            yield command, printed
        command, printed = line[2:], []
        if "<<'END'" in line:
            command += "".join(f"\n{more}" for more in takewhile(lambda more: more != "END", lines)) + "\nEND"
    yield command, printed


def matches(said: list[str], printed: list[str]) -> bool:
    """Whether the lines are those; `...` within one stands for anything."""
    patterns = [".*".join(map(re.escape, line.split("..."))) for line in said]
    return len(said) == len(printed) and all(map(re.fullmatch, patterns, printed))


def shell_lines(document: Path) -> Iterator[tuple[str, bool]]:
    """Every command that a document shows, in a block or indented, in a line; whether a test runs it as it is."""
    fence = None
    for line in re.sub(r"\\\n\s*", "", document.read_text()).splitlines():
        if line.lstrip().startswith("```"):
            fence = None if fence is not None else line.strip().removeprefix("```")
        elif fence is None:
            if line.startswith("    ") and line.split(maxsplit=1)[0] in _PROGRAMS:
                yield line.strip(), False
        elif fence.partition(" ")[0] in _SHELL and line.startswith("$ "):
            yield line.removeprefix("$ ").partition("<<")[0], " " in fence


def is_synopsis(line: str) -> bool:
    """Whether it shows what a command takes, and not one."""
    return "[-" in line or line.endswith("...")


def calls(line: str) -> Iterator[list[str]]:
    """The arguments of each `parcelwatch` in a shell's line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    redirected = False
    for token in lexer:
        if token in _OPERATORS:
            found.append([])
        elif set(token) <= set("<>&") and token:
            redirected = True
            if found[-1] and found[-1][-1] in "12":
                found[-1].pop()
        elif redirected:
            redirected = False
        else:
            found[-1].append(token)
    for words in found:
        names = [word.rpartition("/")[2] for word in words]
        # Not where it is an argument, as in `pip install parcelwatch`.
        if "parcelwatch" in names and (at := names.index("parcelwatch")) + 1 < len(words):
            before = words[at - 1] if at else "--"
            if before == "--" or "=" in before:
                yield words[at + 1 :]
