"""Drafts a map of columns from a table: guesses by the columns' names, for a person to check."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from streams.adapt.orders.columns import Column, ColumnMap, Columns, usual
from streams.adapt.orders.entries import said
from streams.adapt.reading import Found
from streams.adapt.reading.paths import field_of
from streams.adapt.reading.search import folded

_PERSONAL = re.compile(
    r"姓名|电话|手机|地址|支付宝|留言|备注|身份证|邮箱|\bname|phone|mobile|\btel|address|mail|street|zip|post ?code"
    r"|note|memo|message",
    re.IGNORECASE,
)
"""Columns that are never guessed: they name people, or quote them."""
_CERTAIN = frozenset({"buyer_id", "shop_id"})
"""Columns that are only guessed by a usual name."""
_SHORTEST = 2
_ROWS = 2000
_MOST_WORDS = 20
_SHORT = 30


def draft(known: Columns, found: Iterable[Found], name: str) -> str:
    """A map of the columns of the table in `found`, as TOML with comments. `name` is what the comments call it.

    Nothing of the rows is in it but the words of the columns of states and kinds.
    """
    rows = [row for document in islice(found, _ROWS) for row in _rows(document)]
    header = list(dict.fromkeys(name for row in rows for name in row))
    certain = usual(known, header)
    guesses = dict(_guesses(known, header, certain))
    columns = {**certain.columns, **{column: (theirs,) for column, theirs in guesses.items()}}
    taken = {theirs for names in columns.values() for theirs in names}
    lines = [
        f"# Which columns of {_shown(name)} say what, drafted from their names. Check each line; then --map.",
        "",
        f"{'' if certain.zone else '# '}zone = {_quoted(certain.zone or 'Asia/Shanghai')}  # of times without one",
        '# shop = "my-shop"  # where no column names it',
        "",
        "[columns]",
    ]
    for column in known.known:
        theirs = columns.get(column.name)
        if theirs is not None:
            doubt = " (a guess)" if column.name in guesses else ""
            lines.append(f"{column.name} = {_quoted(theirs[0])}  # {column.what}{doubt}")
        else:
            lines.append(f'{"" if column.needed else "# "}{column.name} = ""  # {column.what}')
    left = [name for name in header if name not in taken]
    if left:
        lines += ["", f"# Nothing takes: {', '.join(map(_shown, left))}"]
    lines += _words("statuses", known.statuses, _told(rows, columns, ("status",)), "completed or cancelled, or no end")
    lines += _words("kinds", known.kinds, _told(rows, columns, ("kind", "refund_kind")), _kinds(known))
    return "\n".join(lines) + "\n"


def _rows(document: Found) -> Iterator[dict[str, object]]:
    listed = document.value if isinstance(document.value, list) else [document.value]
    return (row for row in listed if isinstance(row, dict))


def _guesses(known: Columns, header: Sequence[str], certain: ColumnMap) -> Iterator[tuple[str, str]]:
    """Columns whose names have a usual one in them, the longest first."""
    taken = {theirs for names in certain.columns.values() for theirs in names}
    for column in known.known:
        if column.name in certain.columns or column.name in _CERTAIN:
            continue
        free = [name for name in header if name not in taken and not _PERSONAL.search(name)]
        best = max(((_likeness(column, name), name) for name in free), default=(0, ""))
        if best[0] > 0:
            taken.add(best[1])
            yield column.name, best[1]


def _likeness(column: Column, name: str) -> int:
    """How long the longest usual name is that a header's name has in it; 0 where it has none."""
    plain = folded(name)
    usual_names = (folded(one) for one in (column.name, *column.usual))
    return max(
        (len(one) for one in usual_names if one in plain and len(one) >= (_SHORTEST if not one.isascii() else 5)),
        default=0,
    )


def _told(rows: Iterable[dict[str, object]], columns: dict[str, tuple[str, ...]], names: Sequence[str]) -> list[str]:
    """The words that the rows have in some columns, where they are few and short, as words of states are."""
    found: dict[str, None] = {}
    for row in rows:
        for name in names:
            for theirs in columns.get(name, ()):
                cell = said(field_of(row, theirs))
                if cell and len(cell) <= _SHORT:
                    found.setdefault(cell)
    return list(found) if len(found) <= _MOST_WORDS else []


def _words(name: str, known: dict[str, str], told: Sequence[str], what: str) -> list[str]:
    if not told:
        return []
    lines = ["", f"[{name}]  # {what}"]
    for word in told:
        ours = known.get(word.casefold())
        lines.append(f"{_quoted(word)} = {_quoted(ours)}" if ours else f'# {_quoted(word)} = ""')
    return lines


def _kinds(known: Columns) -> str:
    return ", ".join(dict.fromkeys(known.kinds.values()))


def _shown(text: str) -> str:
    """A text as it may stand in a comment."""
    return "".join(char if char.isprintable() else " " for char in text)


def _quoted(text: str) -> str:
    """A text as TOML writes it: as JSON does."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
