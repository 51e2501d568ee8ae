"""`parcelwatch status`."""

from __future__ import annotations

import asyncio
from typing import Any

import click
import msgspec

from schemas.topics import TopicNames
from streams.cli.logging import logging_options
from streams.cli.options import app_id_option, broker_option, topics_option
from streams.cli.security import security_options
from streams.cli.terminal import echo, printable_json
from streams.engine.errors import DeniedError, FatalError, LogError
from streams.engine.rights import grants
from streams.status.judgement import judge
from streams.status.reading import look
from streams.status.report import document, lines

#: The exit statuses besides 0: something is wrong; no broker answers.
WRONG, UNREACHABLE = 1, 3


@click.command("status")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True,
              help="One screen, or JSON with everything.")  # fmt: skip
@click.option("--timeout", type=click.FloatRange(1, 300), default=10.0, show_default=True, metavar="SECONDS",
              help="How long brokers may take to answer.")  # fmt: skip
@broker_option
@app_id_option
@topics_option
@logging_options
@security_options
def status_command(
    form: str, timeout: float, broker: str, app_id: str, topics: TopicNames, client: dict[str, Any]
) -> int:
    """Show how an application is: its workers, lag, watermarks, newest alerts, what is wrong and what to do.

    Reads from Kafka alone and changes nothing. The status is 0 if all is well, 1 if something is wrong, 3 if no broker
    answers.
    """
    try:
        facts = asyncio.run(look(broker, app_id, topics, client, timeout))
    except DeniedError as error:
        user = str(client.get("sasl_plain_username") or "NAME")
        raise click.ClickException(grants(error.rights, user) if error.rights else str(error)) from None
    except FatalError as error:
        raise click.ClickException(str(error)) from None
    except LogError as error:
        echo(f"parcelwatch: the broker cannot be used: {error}", err=True)
        return UNREACHABLE
    findings = judge(facts)
    if form == "json":
        click.echo(printable_json(msgspec.json.format(msgspec.json.encode(document(facts, findings)), indent=2)))
    else:
        for line in lines(facts, findings):
            echo(line)
    return WRONG if any(finding.wrong for finding in findings) else 0
