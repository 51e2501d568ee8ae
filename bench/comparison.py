"""parcelwatch compared with Kafka Streams, Flink, Quix Streams, PyFlink and Faust, in scans per CPU-second.

Everyone is measured as many times as there are rounds, and all of them in each round: a machine that is slower for a
while is so for all. A figure is the middle one of the rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from bench.asked import Asked
from bench.contenders import CONTENDERS, Contender
from bench.install import NotReadyError
from bench.results import Cell, Table
from bench.scans import EACH, SILENT
from bench.throughput import Figures, Throughput, WrongError, delete

SCANS, LONG = 2_000_000, 6_000_000
ROUNDS = 3
#: Per cent of the parcels that fall silent.
SHARES = (0, 1, 5)
#: Those that need minutes for so many scans as the longest stream has.
_SLOW = ("quix", "pyflink-thread", "pyflink-process", "faust")
_OF_ALL_STREAMS = ("parcelwatch-native", "parcelwatch", "kafka-streams", "flink-heap-5s")

#: By contender, what it did in each round; nothing of one that failed.
Found = Mapping[Contender, Sequence[Figures]]


def rate(figures: Sequence[Figures]) -> float:
    """Scans per CPU-second, of the middle round."""
    return median(each.rate for each in figures)


def _spread(figures: Sequence[Figures]) -> str:
    rates = [each.rate for each in figures]
    return f"{min(rates):,.0f} to {max(rates):,.0f}"


def table(name: str, found: Found) -> Table:
    """The figures. Whoever failed has a line without any."""
    rows: list[list[Cell]] = []
    for contender, figures in found.items():
        if not figures:
            rows.append([contender.what, contender.guarantee, "none, or wrong", *([None] * 7)])
            continue
        one = sorted(figures, key=lambda each: each.rate)[len(figures) // 2]
        rows.append(
            [contender.what, contender.guarantee, one.scans, one.alerts, max(each.twice for each in figures),
             round(one.cpu, 1), round(one.wall, 1), round(max(each.memory for each in one.spent) / 1e6),
             round(rate(figures)), _spread(figures)]
        )  # fmt: skip
    columns = ["", "guarantee", "scans", "alerts", "repeated alerts", "CPU s", "wall s", "most memory, MB",
               "scans per CPU-second", f"of {_rounds(found)} rounds"]  # fmt: skip
    return Table(name, columns, rows)


def ratios(name: str, found: Found) -> Table:
    """How many times as many scans per CPU-second each of ours does as each of the others."""
    ours = [each for each, figures in found.items() if each.ours and figures]
    rows: list[list[Cell]] = [
        [contender.what, *(round(rate(found[each]) / rate(figures), 2) for each in ours)]
        for contender, figures in found.items()
        if not contender.ours and figures
    ]
    return Table(name, ["times as many as", *(each.what for each in ours)], rows)


def _rounds(found: Found) -> int:
    return max((len(figures) for figures in found.values()), default=0)


def chosen(asked: Asked, names: Sequence[str] = ()) -> list[Contender]:
    """Those that are wanted, each with as many scans as it is given. `names`: those of this section, or all."""
    wanted = [
        each
        for each in CONTENDERS
        if (each.ours or not asked.ours)
        and (not names or each.name in names)
        and (not asked.only or any(each.name.startswith(start) for start in asked.only))
    ]
    return [_divided(each, asked) for each in wanted]


def _divided(contender: Contender, asked: Asked) -> Contender:
    most = contender.most
    return contender if most is None else replace(contender, most=asked.size(most, least=2000, multiple=2 * EACH))


async def compared(
    asked: Asked, contenders: Sequence[Contender], full: int, silent: int = SILENT, escaped: bool = False
) -> dict[Contender, list[Figures]]:
    """Measures them, and leaves no topic behind. One that fails is not measured in the rounds that follow.

    Raises WrongError where parcelwatch itself is wrong.
    """
    scans = asked.size(full, least=2000, multiple=2 * EACH)
    throughput = Throughput(asked.kafka, asked.folder, asked.tell, silent, escaped)
    await throughput.prepare(contenders, scans)
    found: dict[Contender, list[Figures]] = {each: [] for each in contenders}
    failed = set()
    for _ in range(asked.rounds(ROUNDS)):
        for each in contenders:
            if each in failed:
                continue
            try:
                found[each].append(await throughput.measure(each, scans, asked.quiet_for))
            except NotReadyError as problem:
                asked.tell(str(problem))
                failed.add(each)
            except WrongError as problem:
                if each.ours:
                    raise
                # The others are measured all the same, and the table says who has no figure.
                asked.tell(str(problem))
                found[each].clear()
                failed.add(each)
                await throughput.wipe()
    await delete(asked.kafka, await asked.kafka.topics())
    return found


async def run(asked: Asked) -> list[Table]:
    """Everyone, with two million scans."""
    found = await compared(asked, chosen(asked), SCANS)
    return [table("throughput", found), ratios("throughput-ratios", found)]


async def run_long(asked: Asked) -> list[Table]:
    """All but the slowest, with six million."""
    found = await compared(asked, chosen(asked, [each.name for each in CONTENDERS if each.name not in _SLOW]), LONG)
    return [table("throughput-long", found), ratios("throughput-long-ratios", found)]


async def run_streams(asked: Asked) -> list[Table]:
    """Some of them, with more and fewer silent parcels, and with escaped JSON."""
    contenders = chosen(asked, _OF_ALL_STREAMS)
    rows: list[list[Cell]] = []
    for silent, escaped in [*((share, False) for share in SHARES), (SILENT, True)]:
        found = await compared(asked, contenders, SCANS, silent, escaped)
        rows += [
            [contender.what, silent, escaped, figures[0].scans, figures[0].alerts, round(rate(figures)),
             _spread(figures)]
            for contender, figures in found.items()
            if figures
        ]  # fmt: skip
    columns = ["", "per cent silent", "JSON escaped", "scans", "alerts", "scans per CPU-second", "of the rounds"]
    return [Table("throughput-streams", columns, rows)]
