"""`parcelwatch notify --check`, `--dry-run --from`, `--explain`."""

from __future__ import annotations

from pathlib import Path

import orjson
from click.testing import CliRunner, Result

from schemas.times import HOUR, render
from streams.cli.main import command_of
from tests.unit.notify.scenes import T0

FILE = """\
zone = "Asia/Shanghai"

[channels.ops]
webhook = "https://ops.example/hook"
secret = "${OPS_SECRET}"

[[routes]]
name = "grave"
severities = ["critical"]
channels = ["ops"]
continue = true

[[routes]]
types = ["shipment.slow"]
channels = ["ops"]
"""


def event(status: str, time: int, **changes: str) -> bytes:
    given = {"type": "shipment.slow", "subject": "P1", "severity": "warning", "shop": "tea", **changes}
    return orjson.dumps({
        "id": f"{given['subject']}-{given['type']}-{status}", "type": f"parcelwatch.{given['type']}.v1",
        "subject": given["subject"], "time": render(time),
        "data": {"status": status, "severity": given["severity"], "audience": "merchant", "episode": "e",
                 "shop_id": given["shop"], "resolution": None if status == "raised" else "resumed",
                 "message": {"en": f"{given['subject']} is {status}."}, "advice": [{"code": "c", "en": "Ask."}]},
    })  # fmt: skip


def notify(tmp_path: Path, *options: str, alerts: tuple[bytes, ...] = (), text: str = FILE) -> Result:
    config = tmp_path / "notify.toml"
    config.write_text(text)
    (tmp_path / "alerts.merchant.jsonl").write_bytes(b"\n".join(alerts))
    return CliRunner().invoke(command_of("notify"), ["--config", str(config), *options], standalone_mode=False)


ALERTS = (
    event("raised", T0), event("resolved", T0 + HOUR),
    event("raised", T0, subject="P2"), event("resolved", T0 + 1, subject="P2"),
    event("raised", T0, subject="o1", type="order.ship_late"),
)  # fmt: skip


def test_a_dry_run_prints_what_would_be_said_and_when(tmp_path: Path) -> None:
    told = notify(tmp_path, "--dry-run", "--from", str(tmp_path), alerts=ALERTS)
    assert told.output == (
        "2026-11-03 10:00 +0800  ops  [warning] Parcel slow · tea\n"
        "    P1 is raised.\n"
        "    - Ask.\n"
        "2026-11-03 11:00 +0800  ops  [resolved] Parcel slow · tea\n"
        "    P1 is resolved.\n"
        "    - Ask.\n"
        "5 alerts, 2 messages (2 to ops); not told: 1 over before anybody was told, 1 without a route\n"
    )


def test_explain_tells_which_routes_an_alert_takes(tmp_path: Path) -> None:
    told = notify(tmp_path, "--explain", "P2-shipment.slow-raised", "--from", str(tmp_path), alerts=ALERTS)
    assert told.output == (
        "2026-11-03T02:00:00Z  shipment.slow raised, warning, merchant, subject P2, shop tea: P2-shipment.slow-raised\n"
        "  routes[1] grave: no, its severity is warning\n"
        "  routes[2]: yes, to ops\n"
    )


def test_an_alert_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    told = notify(tmp_path, "--explain", "P9", "--from", str(tmp_path), alerts=ALERTS)
    assert str(told.exception) == "P9: no alert has this id or subject"


def test_a_line_that_is_no_alert_is_named(tmp_path: Path) -> None:
    told = notify(tmp_path, "--dry-run", "--from", str(tmp_path), alerts=(ALERTS[0], b'{"id":1}'))
    assert str(told.exception) == f"{tmp_path}/alerts.merchant.jsonl:2: not a CloudEvent of an alert"


def test_check_tells_every_mistake_or_that_there_is_none(tmp_path: Path) -> None:
    told = notify(tmp_path, "--check", text=FILE.replace('"ops"', '"op"'))
    assert told.return_value == 2
    assert [line.split(": ")[1] for line in told.stderr.splitlines()] == [
        "channels.ops.secret", "routes[1].channels", "routes[2].channels",
    ]  # fmt: skip
    good = CliRunner(env={"OPS_SECRET": "x"}).invoke(
        command_of("notify"), ["--config", str(tmp_path / "notify.toml"), "--check"], standalone_mode=False
    )
    assert good.return_value == 2
    (tmp_path / "notify.toml").write_text(FILE)
    good = CliRunner(env={"OPS_SECRET": "x"}).invoke(
        command_of("notify"), ["--config", str(tmp_path / "notify.toml"), "--check"], standalone_mode=False
    )
    assert good.return_value == 0
    assert good.output.endswith("notify.toml: 1 channel, 2 routes\n")
