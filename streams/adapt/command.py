"""`parcelwatch adapt`: the command around `streams.adapt`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from schemas.times import parse
from streams.adapt import FORMATS, InputError, Problem, Report, adapt
from streams.cli.terminal import echo

_LISTED = 50
"""How many unknown words are listed; the rest are counted."""


class _Refused(click.ClickException):
    exit_code = 2


def _help() -> str:
    formats = "\n".join(f"  {found.name:<10} {found.help} ({found.tz})" for found in FORMATS.values())
    details = "\n\n".join(f"{found.name}: {found.details}" for found in FORMATS.values() if found.details)
    return (
        "Turn a carrier's or platform's own data into events, one JSON line each on standard output, by time.\n\n"
        f"\b\nFormats, with the zone of times that have none:\n{formats}\n\n"
        "Each scan gets one of parcelwatch's statuses by the carrier's code, or by its words; one that is "
        "not understood becomes in_transit and is listed at the end on standard error. Texts do not go out: "
        "they name people.\n\n"
        f"{details}"
    )


@click.command("adapt", help=_help(), short_help="Turn a carrier's or platform's own data into events.")
@click.argument("format_name", metavar="FORMAT")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--tz", envvar="PARCELWATCH_TZ", help="Zone of times without an offset, in place of the format's.")
@click.option("--tracking-no", envvar="PARCELWATCH_TRACKING_NO", help="Where the data has no tracking number.")
@click.option("--carrier", envvar="PARCELWATCH_CARRIER", help="Where the data names no carrier.")
def adapt_command(
    format_name: str, inputs: tuple[Path, ...], tz: str | None, tracking_no: str | None, carrier: str | None
) -> None:
    """Writes the lines and reports. Status 2 where nothing at all could be read."""
    report = Report(on_problem=_tell)
    out = click.get_binary_stream("stdout")
    try:
        lines = [
            (parse(line.value["occurred_at"]), line.encode())
            for line in adapt(format_name, inputs, report=report, tz=tz, tracking_no=tracking_no, carrier=carrier)
        ]
    except InputError as error:
        raise _Refused(str(error)) from error
    # In the order of time over all inputs: what a replay reads must not come late for the order of the files.
    lines.sort(key=lambda line: line[0])
    out.writelines(encoded for _, encoded in lines)
    out.flush()
    if not report.readable:
        raise _Refused(f"nothing of the format {format_name} in the input")
    for text in _summary(report):
        echo(text, err=True)


def _tell(problem: Problem) -> None:
    echo(f"left out: {problem}", err=True)


def _summary(report: Report) -> list[str]:
    told = [f"{_counts(report.events) or 'no events'}; {len(report.shipments):,} shipments"]
    if report.problems:
        told.append(f"left out: {len(report.problems):,} pieces that could not be read")
    told.extend(f"left out: {count:,} {what}" for what, count in sorted(report.left_out.items()))
    if report.unknown:
        told.append(f"not understood, taken as in_transit ({report.unknown.total():,} scans):")
        for (code, text), count in report.unknown.most_common(_LISTED):
            told.append(f"{count:>7,}  {f'code {code}  ' if code else ''}{text or '(no words)'}")
        if len(report.unknown) > _LISTED:
            told.append(f"         and {len(report.unknown) - _LISTED:,} more")
    return told


def _counts(events: Counter[str]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in sorted(events.items()))
