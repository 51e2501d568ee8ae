"""The demonstration as somebody sees it who has just installed it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from tests.patience import PATIENCE
from tests.unit.cli import environment, run

#: 70 days of the marketplace, on a busy machine at least 25: longer than the week after which a parcel is stalled, and
#: than it takes to be angry.
SECONDS = "14"


@pytest.fixture(scope="module")
def shown() -> subprocess.CompletedProcess[str]:
    return run("demo", "--for", SECONDS, "--pace", "5", "--lang", "en")


def test_it_ends_by_itself_with_status_zero_and_says_nothing_on_standard_error(
    shown: subprocess.CompletedProcess[str],
) -> None:
    assert (shown.returncode, shown.stderr) == (0, "")


def test_its_first_line_is_the_address_of_the_console(shown: subprocess.CompletedProcess[str]) -> None:
    assert re.fullmatch(r"Console, in your browser: http://127\.0\.0\.1:\d+/", shown.stdout.splitlines()[0])


def test_parcels_are_stalled_and_the_angry_shop_climbs_the_levels(shown: subprocess.CompletedProcess[str]) -> None:
    assert re.search(r"critical·raised  Parcel stalled  Parcel .* for 7 days", shown.stdout)
    # The shop itself, or one of its items: whichever comes first.
    assert re.search(r"(Help rate blocks campaigns|risk of delisting)  As of .* shop shop-001", shown.stdout)
    closing = shown.stdout.splitlines()[-1]
    found = re.fullmatch(
        r"shop-001: help rate (\S+)% over 30 days, (\S+) times the mean (\S+)% of its category \(women-clothing\); "
        r"state: (campaign blocked|delisting risk)\.",
        closing,
    )
    assert found is not None, closing
    rate, times, mean = map(float, found.groups()[:3])
    assert times > 1.5
    assert rate / mean == pytest.approx(times, abs=0.1)


def test_every_alert_line_begins_with_the_marketplaces_time(shown: subprocess.CompletedProcess[str]) -> None:
    lines = [line for line in shown.stdout.splitlines() if "·" in line[:30]]
    assert 5 <= len(lines) <= 45
    assert all(
        re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d  (info|warning|critical)·(raised|resolved)  ", line) for line in lines
    )


def test_the_summary_counts_events_and_alerts(shown: subprocess.CompletedProcess[str]) -> None:
    assert re.search(
        r"^  Parcel stalled \(critical\): raised [1-9]\d*, resolved \d+, open \d+$", shown.stdout, re.MULTILINE
    )
    assert re.search(
        rf"^[1-9][\d,]+ events of \d+ days read in {SECONDS}\.\d s, [1-9][\d,]* a second;", shown.stdout, re.MULTILINE
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_its_summary_and_status_zero(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "streams", "demo", "--lang", "zh-CN"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED="1"),
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "触发" in line:
                break
        process.send_signal(number)
        rest, error = process.communicate(timeout=PATIENCE)
    assert (process.returncode, error) == (0, "")
    assert "告警汇总" in rest
    assert rest.splitlines()[-1].startswith("shop-001：")


def test_another_policy_is_shown_at_work() -> None:
    done = run("demo", "--for", "8", "--pace", "3", "--policy", "tmall-2026", "--lang", "en")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Parcel slow" in done.stdout
