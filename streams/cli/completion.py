"""What a shell completes where a name or a file is expected."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def names_or_files(names: Callable[[], Iterable[str]]) -> Completion:
    """Completes the names that begin so, and where there are none the paths of files."""

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        begun = [CompletionItem(name) for name in names() if name.startswith(incomplete)]
        return begun or [CompletionItem(incomplete, type="file")]

    return complete
