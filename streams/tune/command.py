"""`parcelwatch tune`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console

from streams.cli.findings_files import FILE, lacking, new_file, new_report, write
from streams.cli.options import instant
from streams.policy import load
from streams.replay.progress import reading
from streams.replay.reading import MissingInput

if TYPE_CHECKING:
    from streams.tune.findings import Findings

_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)
_DAYS = click.FloatRange(0, 365, min_open=True)


def _known(_context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        load.load(value)
    except load.BadPolicy as error:
        raise click.BadParameter(str(error), param=parameter) from None
    return value


@click.command("tune")
@click.argument("sources", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--policy", "policy_name", callback=_known, default=load.DEFAULT, show_default=True, metavar="NAME|FILE",
              help="The present policy, which the new one extends.")  # fmt: skip
@click.option("--out", type=FILE, callback=new_file, metavar="FILE",
              help="Write the policy: a TOML file. Not written where nothing would differ.")  # fmt: skip
@click.option("--model", "model_file", type=FILE, callback=new_file, metavar="FILE",
              help="Write a model of delivery estimates, which a policy names in [estimates]; a policy that is written"
                   " does.")  # fmt: skip
@click.option("--slow-right", type=_SHARE, default=0.5, show_default=True, metavar="P",
              help="The share of `shipment.slow` alerts that shall be right.")  # fmt: skip
@click.option("--slow-days", type=_DAYS, default=3.0, show_default=True, metavar="D",
              help="Right is one whose parcel is not delivered within D days of it.")  # fmt: skip
@click.option("--stalled-right", type=_SHARE, default=0.8, show_default=True, metavar="P",
              help="The same of `shipment.stalled`.")  # fmt: skip
@click.option("--stalled-days", type=_DAYS, default=7.0, show_default=True, metavar="D",
              help="The same of `shipment.stalled`.")  # fmt: skip
@click.option("--fit", type=_SHARE, default=0.7, show_default=True, metavar="SHARE",
              help="The share of the history's time to fit on; the rest judges.")  # fmt: skip
@click.option("--least", type=click.IntRange(min=1), default=200, show_default=True, metavar="PARCELS",
              help="A carrier and tier of fewer borrows from its carrier, then from all.")  # fmt: skip
@click.option("--until", callback=instant, metavar="TIME",
              help="End of the history; default: the greatest time read.")  # fmt: skip
@click.option("--html", type=FILE, callback=new_report, metavar="FILE",
              help="Write a report with plots, as one self-contained file.")  # fmt: skip
@click.option("--json", "json", type=FILE, callback=new_file, metavar="FILE", help="Write all findings.")
def tune_command(
    sources: tuple[Path, ...],
    policy_name: str,
    out: Path | None,
    model_file: Path | None,
    slow_right: float,
    slow_days: float,
    stalled_right: float,
    stalled_days: float,
    fit: float,
    least: int,
    until: int | None,
    html: Path | None,
    json: Path | None,
) -> None:
    """Find thresholds of silences in INPUT, a marketplace's history.

    INPUT is what `parcelwatch replay` reads. Thresholds are fitted on its first part and judged on its last; what does
    not hold there is not written. With --model it also finds when parcels are delivered, from any silence on.
    """
    said = lacking("tune", "scipy", "tomlkit")
    if said is not None:
        raise click.UsageError(f"tune {said}")
    # Only here: they take a second to load, and are not there without the extra.
    from streams.policy.estimates import encoded
    from streams.tune.estimates import judged, model_of
    from streams.tune.findings import Goal, Kind
    from streams.tune.policy_file import written
    from streams.tune.silences import read
    from streams.tune.study import HORIZON_DAYS, NothingToStudy, parts_of, study
    from streams.tune.table import show

    policy = load.load(policy_name)
    console = Console(stderr=True)
    try:
        with reading(sources, "tune", console) as lines:
            history = read(lines, policy, until)
        goals: dict[Kind, Goal] = {"slow": Goal(slow_right, slow_days), "stalled": Goal(stalled_right, stalled_days)}
        findings = study(history, policy, goals, fit, least)
    except (MissingInput, NothingToStudy) as error:
        said = str(error) if isinstance(error, MissingInput) else f"{shlex.join(map(str, sources))}: {error}"
        raise click.UsageError(said) from None
    model = None
    if model_file is not None:
        parts = parts_of(history, fit)
        model = model_of(parts, policy, least, HORIZON_DAYS)
        if model is not None:
            findings = msgspec.structs.replace(findings, estimates=judged(model, parts))
    show(findings, Console())
    if json is not None:
        write(json, msgspec.json.format(msgspec.json.encode(findings), indent=2) + b"\n")
    if html is not None:
        write(html, _page(findings).encode())
    if model_file is not None:
        if model is None:
            click.echo(f"{model_file}: not written, too few parcels")
        else:
            write(model_file, encoded(model))
            click.echo(f"{model_file}: written, {len(model.groups)} groups")
    if out is not None:
        named = os.path.relpath(model_file.resolve(), out.resolve().parent) if model_file and model else None
        text = written(findings, policy, load.extending(policy_name, out), out.stem, named)
        if text is None:
            click.echo(f"{out}: not written, no threshold would differ")
        else:
            write(out, text.encode())
            compare = f"parcelwatch compare {shlex.join(map(str, sources))} --policy {policy_name} --policy {out}"
            click.echo(f"{out}: written; what it would have said: {compare}")


def _page(findings: Findings) -> str:
    from streams.tune.report import render

    return render(findings)
