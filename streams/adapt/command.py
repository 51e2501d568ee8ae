"""The command `parcelwatch adapt`."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from schemas.times import parse
from streams.adapt import InputError, Problem, Report, adapt, formats
from streams.adapt import draft_map as drafted
from streams.adapt.formats import known
from streams.adapt.times import read_time
from streams.adapt.words import nearest
from streams.carriers import code_of, near
from streams.cli.completion import names_or_files
from streams.cli.terminal import echo

_LISTED = 50
"""How many unknown words, and how many problems, are listed; the rest are counted."""


class _Refused(click.ClickException):
    exit_code = 2


class _AdaptCommand(click.Command):
    """The command; its help names every format, and loads them only when it is asked for."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.help = _help()
        super().format_help_text(ctx, formatter)


def _help() -> str:
    found = formats().values()
    listed = "\n".join(f"  {one.name:<10} {one.help} ({one.tz})" for one in found)
    details = "\n\n".join(f"{one.name}: {one.details}" for one in found if one.details)
    return (
        "Turn a carrier's or platform's own data into events, one JSON line each on standard output, by time.\n\n"
        f"\b\nFormats, with the zone of times that have none:\n{listed}\n\n"
        "An input is JSON, XML or a table (CSV, Parquet), plain or gzipped, and may be as it was received: a form, "
        "a log with a body in a line, bodies one after the other. Each scan gets one of parcelwatch's statuses by "
        "the carrier's code, or by its words; one that is not understood becomes in_transit and is listed at the "
        "end on standard error. Texts do not go out: they name people.\n\n"
        "For other data try the format any; or describe your own in a TOML file and give its path as FORMAT: "
        "docs/adapters.md says how.\n\n"
        f"{details}"
    )


@click.command("adapt", cls=_AdaptCommand, short_help="Turn a carrier's or platform's own data into events.")
@click.argument("format_name", metavar="FORMAT", shell_complete=names_or_files(known))
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--tz", envvar="PARCELWATCH_TZ", help="Zone of times without an offset, in place of the format's.")
@click.option(
    "--dates",
    type=click.Choice(["day-first", "month-first"]),
    envvar="PARCELWATCH_DATES",
    help="How to read 01/04/2026, in place of the format's way.",
)
@click.option("--tracking-no", envvar="PARCELWATCH_TRACKING_NO", help="Where the data has no tracking number.")
@click.option("--carrier", envvar="PARCELWATCH_CARRIER", help="Where the data names no carrier; by any of its names.")
@click.option("--shop", envvar="PARCELWATCH_SHOP", help="Of orders and tickets, where the data names no shop.")
@click.option("--by-shop", is_flag=True, envvar="PARCELWATCH_BY_SHOP",
              help="Each shop numbers its orders and buyers by itself: put the shop before their ids.")  # fmt: skip
@click.option(
    "--map",
    "columns",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="PARCELWATCH_MAP",
    help="For orders-csv and tickets-csv: a file that says which columns say what; else those with usual names do.",
)
@click.option("--draft-map", is_flag=True, help="Print such a file instead, drafted from the names in INPUT.")
@click.option(
    "--now", envvar="PARCELWATCH_NOW", help="What is more than a day ahead of it is left out.  [default: now]"
)
@click.option("--strict", is_flag=True, envvar="PARCELWATCH_STRICT", help="Status 1 if anything was left out.")
def adapt_command(
    format_name: str,
    inputs: tuple[Path, ...],
    tz: str | None,
    dates: str | None,
    tracking_no: str | None,
    carrier: str | None,
    shop: str | None,
    by_shop: bool,
    columns: Path | None,
    draft_map: bool,
    now: str | None,
    strict: bool,
) -> None:
    """Writes the lines and reports. Status 2 where nothing at all could be read."""
    if draft_map:
        _draft(format_name, inputs)
        return
    report = Report()
    report.on_problem = lambda problem: _tell(problem, report)
    out = click.get_binary_stream("stdout")
    try:
        lines = [
            (parse(line.value["occurred_at"]), line.encode())
            for line in adapt(
                format_name,
                inputs,
                report=report,
                tz=tz,
                tracking_no=tracking_no,
                carrier=carrier,
                shop=shop,
                by_shop=by_shop,
                now=_now(now),
                day_first=None if dates is None else dates == "day-first",
                columns=columns,
            )
        ]
    except InputError as error:
        raise _Refused(str(error)) from error
    # In the order of time over all inputs: what a replay reads must not come late for the order of the files.
    lines.sort(key=lambda line: line[0])
    out.writelines(encoded for _, encoded in lines)
    out.flush()
    if not report.readable and report.refusals:
        raise _Refused(f"no event in the input: {report.refusals[0]}")
    if not report.readable:
        raise _Refused(f"nothing of the format {format_name} in the input")
    for text in _summary(report, carrier):
        echo(text, err=True)
    if strict and (report.problems or report.left_out or report.lacking):
        raise click.exceptions.Exit(1)


def _draft(format_name: str, inputs: tuple[Path, ...]) -> None:
    if len(inputs) > 1:
        raise _Refused("--draft-map drafts from one input")
    try:
        click.echo(drafted(format_name, inputs[0], Report()), nl=False)
    except InputError as error:
        raise _Refused(str(error)) from error


def _now(given: str | None) -> datetime:
    if given is None:
        return datetime.now(UTC)
    try:
        return read_time(given, UTC)
    except ValueError as error:
        raise InputError(f"--now: {error}") from error


def _tell(problem: Problem, report: Report) -> None:
    if len(report.problems) <= _LISTED:
        echo(f"left out: {problem}", err=True)


def _summary(report: Report, carrier: str | None) -> list[str]:
    told = list(dict.fromkeys(report.notes))
    told.append(f"{_counts(report.events) or 'no events'}; {len(report.shipments):,} shipments")
    if report.problems:
        told.append(f"left out: {len(report.problems):,} pieces that could not be read")
    told.extend(f"left out: {count:,} {what}" for what, count in sorted((report.left_out + report.lacking).items()))
    told.extend(f"assumed: {count:,} {what}" for what, count in sorted(report.assumed.items()))
    if report.repeats:
        told.append(f"said once: {report.repeats:,} events that the file repeats")
    if (
        carrier
        and carrier in {name for name, _ in report.shipments}
        and code_of(carrier) is None
        and (alike := near(carrier))
    ):
        told.append(f"no carrier is known as {carrier!r}; perhaps {' or '.join(alike)}")
    told.extend(_listed("code and words disagree on an end, the more cautious holds", report.disagreements))
    told.extend(_listed("not understood, taken as in_transit", report.unknown, suggest=True))
    reasons = Counter({("", text): count for text, count in report.reasons.items()})
    told.extend(_listed("reasons not understood, taken as other", reasons, "refunds"))
    return told


def _listed(what: str, found: Counter[tuple[str, str]], kind: str = "scans", *, suggest: bool = False) -> list[str]:
    """The counted texts, most frequent first, each with its probable status."""
    if not found:
        return []
    told = [f"{what} ({found.total():,} {kind}):"]
    for (code, text), count in found.most_common(_LISTED):
        like = nearest(text) if suggest else None
        hint = f"  (perhaps {like[1]}, as {like[0]!r})" if like else ""
        told.append(f"{count:>7,}  {f'code {code}  ' if code else ''}{text or '(no words)'}{hint}")
    if len(found) > _LISTED:
        told.append(f"         and {len(found) - _LISTED:,} more")
    return told


def _counts(events: Counter[str]) -> str:
    return ", ".join(f"{kind} {count:,}" for kind, count in sorted(events.items()))
