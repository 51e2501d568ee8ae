"""`parcelwatch compare`."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click
import msgspec
from rich.console import Console

from streams.cli.files import whole_file
from streams.cli.options import instant
from streams.compare.apart import LostProcess, run
from streams.compare.findings import Findings
from streams.compare.judging import judge
from streams.compare.table import show
from streams.policy import load
from streams.policy.model import Policy
from streams.replay.reading import MissingInput

_NEEDED = ("matplotlib", "jinja2")


def _policies(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> list[Policy]:
    if len(values) != 2:
        raise click.BadParameter(f"two are compared, {len(values)} given: --policy A --policy B", param=parameter)
    try:
        return [load.load(value) for value in values]
    except load.BadPolicy as error:
        raise click.BadParameter(str(error), param=parameter) from None


def _file(_context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A writable file, as far as that can be checked in advance."""
    if value is not None and not value.parent.is_dir():
        raise click.BadParameter(f"{value}: its folder does not exist", param=parameter)
    return value


def _html(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if value is not None and missing:
        raise click.BadParameter(
            f"needs {' and '.join(missing)}: pip install 'parcelwatch[report]'", param=parameter
        )  # fmt: skip
    return _file(context, parameter, value)


@click.command("compare")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--policy", "policies", multiple=True, callback=_policies, metavar="NAME|FILE",
              help="Twice: A, then B. A profile that comes with parcelwatch, or a TOML or YAML file.")  # fmt: skip
@click.option("--until", callback=instant, metavar="TIME", help="End of the run; default: the greatest time read.")
@click.option("--html", "html", type=click.Path(path_type=Path, dir_okay=False, writable=True), callback=_html,
              metavar="FILE", help="Write a report with plots, as one self-contained file.")  # fmt: skip
@click.option("--json", "json", type=click.Path(path_type=Path, dir_okay=False, writable=True), callback=_file,
              metavar="FILE", help="Write all findings, including every alert that differs.")  # fmt: skip
def compare_command(
    source: Path, policies: list[Policy], until: int | None, html: Path | None, json: Path | None
) -> None:
    """Run INPUT under two policies, and show how the alerts differ.

    INPUT is what `parcelwatch replay` reads. A large one is read by two processes, one for each policy.
    """
    try:
        findings = judge(run(source, policies, until, Console(stderr=True)))
    except MissingInput as error:
        raise click.UsageError(str(error)) from None
    except LostProcess as error:
        raise click.ClickException(str(error)) from None
    show(findings, Console())
    if json is not None:
        _write(json, msgspec.json.format(msgspec.json.encode(findings), indent=2) + b"\n")
    if html is not None:
        _write(html, _page(findings).encode())


def _page(findings: Findings) -> str:
    # Only here: it takes a second to load, and is not there without the extra.
    from streams.compare.report import render

    return render(findings)


def _write(file: Path, content: bytes) -> None:
    try:
        with whole_file(file) as part:
            part.write_bytes(content)
    except OSError as error:
        raise click.UsageError(f"{file}: cannot be written: {error.strerror}") from None
