"""`parcelwatch compare`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click
import msgspec
from rich.console import Console

from streams.alerts.languages import LANGUAGES, Tag, preferred_language
from streams.cli.findings_files import FILE, new_file, new_report, write
from streams.cli.options import POLICIES, instant
from streams.compare.apart import LostProcess, run
from streams.compare.findings import Findings
from streams.compare.judging import judge
from streams.compare.table import show
from streams.policy import load
from streams.policy.model import Policy
from streams.replay.reading import MissingInput

#: Where the policies' names are, as they were given.
_NAMES = "streams.compare.policies"


def _policies(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Policy]:
    if len(values) != 2:
        raise click.BadParameter(f"two are compared, {len(values)} given: --policy A --policy B", param=parameter)
    context.meta[_NAMES] = values
    try:
        return [load.load(value) for value in values]
    except load.BadPolicy as error:
        raise click.BadParameter(str(error), param=parameter) from None


@click.command("compare")
@click.argument("sources", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--policy", "policies", multiple=True, callback=_policies, metavar="NAME|FILE", shell_complete=POLICIES,
              help="Twice: A, then B. A profile that comes with parcelwatch, or a TOML or YAML file.")  # fmt: skip
@click.option("--until", callback=instant, metavar="TIME", help="End of the run; default: the greatest time read.")
@click.option("--html", "html", type=FILE, callback=new_report,
              metavar="FILE", help="Write a report with plots, as one self-contained file.")  # fmt: skip
@click.option("--json", "json", type=FILE, callback=new_file,
              metavar="FILE", help="Write all findings, including every alert that differs.")  # fmt: skip
@click.option("--lang", type=click.Choice(list(LANGUAGES)), help="Of what is shown; default: the locale's.")
def compare_command(
    sources: tuple[Path, ...],
    policies: list[Policy],
    until: int | None,
    html: Path | None,
    json: Path | None,
    lang: Tag | None,
) -> None:
    """Run INPUT under two policies, and show how the alerts differ.

    INPUT is what `parcelwatch replay` reads. A large one is read by two processes, one for each policy.
    """
    try:
        findings = judge(run(sources, policies, until, Console(stderr=True)))
    except MissingInput as error:
        raise click.UsageError(str(error)) from None
    except LostProcess as error:
        raise click.ClickException(str(error)) from None
    lang = lang or preferred_language()
    show(findings, Console(), lang)
    if json is not None:
        write(json, msgspec.json.format(msgspec.json.encode(findings), indent=2) + b"\n")
    if html is not None:
        write(html, _page(findings, lang, sources).encode())


def _page(findings: Findings, lang: Tag, sources: tuple[Path, ...]) -> str:
    # Only here: it takes a second to load, and is not there without the extra.
    from streams.compare.report import render

    _, name = click.get_current_context().meta[_NAMES]
    return render(findings, lang, f"{shlex.join(map(str, sources))} --policy {shlex.quote(name)}")
