"""A notifier's file: what is understood, and one line for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.times import HOUR, MINUTE, SECOND
from streams.notify.load import BadFileError, load
from streams.notify.settings import QuietHours

WHOLE = """\
zone = "Asia/Shanghai"
language = "zh-CN"
wait = "30s"

[channels.ops]
dingtalk = "https://oapi.dingtalk.com/robot/send?access_token=${TOKEN}"
secret = "${SECRET}"
patience = "30m"
fallback = "mail"

[channels.mail]
apprise = "mailtos://u:${SECRET}@example.com"

[quiet_hours]
from = "22:00"
to = "08:00"
except = ["critical"]

[shops."tea.house"]
zone = "Asia/Urumqi"
quiet_hours = false

[[routes]]
name = "staff"
audience = "platform"
severities = ["critical"]
channels = ["ops"]
continue = true

[[routes]]
types = ["ticket.*"]
shops = "tea*"
channels = ["mail"]
digest = "12h"
cooldown = "2h"

[texts.en]
title = "{{ alert.name }}!"
"""
GIVEN = {"TOKEN": "t0ken", "SECRET": "s3cret"}


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "notify.toml"
    path.write_text(text)
    return path


def mistakes(tmp_path: Path, text: str, **environment: str) -> list[str]:
    path = written(tmp_path, text)
    with pytest.raises(BadFileError) as refused:
        load(path, environment)
    return [line.removeprefix(str(path)) for line in refused.value.mistakes]


def test_a_whole_file(tmp_path: Path) -> None:
    settings = load(written(tmp_path, WHOLE), GIVEN)
    ops = settings.channels["ops"]
    assert ops.url.endswith("access_token=t0ken")
    assert (ops.kind, ops.secret, ops.per_minute, ops.patience, ops.fallback) == (
        "dingtalk", "s3cret", 20, 30 * MINUTE, "mail",
    )  # fmt: skip
    assert settings.wait == 30 * SECOND
    assert settings.quiet == QuietHours(begin=22 * 60, end=8 * 60, passing=frozenset({"critical"}))
    assert settings.quiet_of("tea.house") is None
    assert settings.quiet_of("another") == settings.quiet
    assert settings.zone_of("tea.house") == "Asia/Urumqi"
    staff, tickets = settings.routes
    assert staff.goes_on
    assert not tickets.goes_on
    assert (tickets.name, tickets.shops, tickets.digest, tickets.cooldown) == ("route 2", ("tea*",), (0, 720), 2 * HOUR)


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    settings = load(written(tmp_path, WHOLE), GIVEN)
    assert "t0ken" not in repr(settings)
    assert "s3cret" not in repr(settings)


def test_without_an_environment_secrets_are_left_out(tmp_path: Path) -> None:
    assert load(written(tmp_path, WHOLE), None).channels["ops"].url.endswith("access_token=")


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ('"${SECRET}"\np', '"s3cret"\np', ":7: channels.ops.secret: is not written down here: name the environment "
         "variable that holds it, ${NAME}"),
        ("${TOKEN}", "${TOKENS}", ":6: channels.ops.dingtalk: the environment variable TOKENS is not set"),
        ('fallback = "mail"', 'fallback = "male"', ":9: channels.ops.fallback: there is no other channel male"),
        ('patience = "30m"', 'patient = "30m"',
         ":8: channels.ops.patient: there is no such setting; did you mean patience?"),
        ('"30m"', '"30 minutes"',
         ':8: channels.ops.patience: is a number and s, m, h or d ("90s", "12h"), not "30 minutes"'),
        ('from = "22:00"', 'from = "24:00"', ':15: quiet_hours.from: is a time of day, as "22:00", not "24:00"'),
        ('from = "22:00"', 'from = "08:00"',
         ":14: quiet_hours: from and to are the same time: it would always be quiet, or never"),
        ('"Asia/Urumqi"', '"Asia/Urumchi"',
         ":20: shops.tea.house.zone: there is no time zone Asia/Urumchi; did you mean Asia/Urumqi?"),
        ('["ops"]', '["opps"]', ":27: routes[1].channels: there is no channel opps; did you mean ops?"),
        ('["ticket.*"]', '["shipment.stalld"]',
         ":31: routes[2].types: there is no alert shipment.stalld (did you mean shipment.stalled?)"),
        ('["ticket.*"]', '["tickets.*"]', ":31: routes[2].types: there is no alert tickets.*"),
        ('["critical"]\nchannels', '["grave"]\nchannels',
         ":26: routes[1].severities: has grave; there are info, warning, critical"),
        ('audience = "platform"\nseverities = ["critical"]\n', "", ""),
        ('"12h"', '"7h"', ':34: routes[2].digest: divides the day: "1h", "2h", "3h", "4h", "6h", "8h", "12h" or '
         '"24h", not "7h"'),
        ("{{ alert.name }}", "{{ alert.nam }}", ":38: texts.en.title: is no template that can be used: "
         "'dict object' has no attribute 'nam'"),
        ("{{ alert.name }}", "{{ alert.name", ":38: texts.en.title: is no template that can be used: unexpected "
         "char '!' at 13"),
        ('language = "zh-CN"', 'language = "fr"', ":2: language: is one of zh-CN, en, not fr"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, before: str, after: str, line: str) -> None:
    assert before in WHOLE
    text = WHOLE.replace(before, after, 1)
    if not line:
        assert load(written(tmp_path, text), GIVEN).routes[0].takes_all
        return
    (found,) = mistakes(tmp_path, text, **GIVEN)
    assert found.startswith(line)


def test_all_mistakes_are_told_in_their_order(tmp_path: Path) -> None:
    text = '[channels.a]\nslack = "ftp://x"\nsecret = "${S}"\n\n[[routes]]\nchannels = []\n'
    assert [line.split(": ")[1] for line in mistakes(tmp_path, text)] == [
        "channels.a.slack", "channels.a.secret", "routes[1].channels",
    ]  # fmt: skip


def test_a_route_that_no_alert_reaches_is_a_mistake(tmp_path: Path) -> None:
    text = WHOLE.replace('audience = "platform"\nseverities = ["critical"]\n', "").replace("continue = true\n", "")
    (found,) = mistakes(tmp_path, text, **GIVEN)
    assert found == ":27: routes[2]: no alert comes here: routes[1] takes all that is left, without continue = true"


@pytest.mark.parametrize(("text", "why"), [("a = \n", "not TOML"), ("", "channels: there is none")])
def test_what_is_no_such_file(tmp_path: Path, text: str, why: str) -> None:
    assert why in mistakes(tmp_path, text)[0]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml", {})
