"""The group's page: what `status` tells, asked for only while somebody looks."""

from __future__ import annotations

from tests.unit.console.looking import Looking
from tests.unit.console.served import served


def test_the_page_shows_who_has_what_and_how_far_it_is() -> None:
    with served(look=Looking()) as console:
        page = console.get("/group").text
        assert "&lt;worker&gt;" in page
        assert "10.0.0.1" in page
        assert "shipments-0" in page
        assert "logistics-scans" in page
        assert "worker &lt;worker&gt; at 10.0.0.1 has told nothing of its tasks" in page
        chinese = console.get("/group", {"Accept-Language": "zh"}).text
        assert "水位线" in chinese
        assert "10.0.0.1 上的 worker &lt;worker&gt; 从未上报自己的任务" in chinese


def test_a_group_that_cannot_be_asked_is_an_error_of_one_line() -> None:
    with served(look=Looking("no broker answers")) as console:
        assert "Kafka cannot be read: no broker answers" in console.get("/group").text


def test_nobody_is_asked_before_somebody_looks() -> None:
    looking = Looking()
    with served(look=looking) as console:
        console.get("/")
        assert looking.looks == 0
        console.get("/group")
        assert looking.looks == 1


def test_without_a_group_there_is_no_page_of_it() -> None:
    with served() as console:
        assert 'href="/group"' not in console.get("/").text
        assert console.get("/group").status == 404
