"""The page with a timeline."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from aiohttp import web

from schemas.times import parse
from streams.alerts.cloudevents import name_of
from streams.console.frame import LIVE, Frame
from streams.console.timelines import Timelines

#: The longest name that is looked for, and the most moments and checks of a story that are shown.
_LONGEST, _MOST = 512, 500
#: Errors that have words of their own.
_WORDED = ("nothing", "busy", "fault")


class TimelinePages:
    """The handler for `/timeline?subject=NAME`."""

    def __init__(self, frame: Frame, timelines: Timelines) -> None:
        self._frame = frame
        self._timelines = timelines

    def routes(self) -> list[web.AbstractRouteDef]:
        """Its address."""
        return [web.get("/timeline", self._timeline)]

    async def _timeline(self, request: web.Request) -> web.Response:
        subject = request.query.get("subject", "").strip()[:_LONGEST]
        telling = self._timelines.ask(subject, again=LIVE not in request.headers) if subject else None
        tales = [_tale(story) for story in telling.told["stories"]] if telling is not None and telling.told else []
        return self._frame.page(
            request, "timeline.html", subject=subject, telling=telling, stories=tales, worded=_WORDED
        )


def _tale(story: dict[str, Any]) -> dict[str, Any]:
    """A story with its events and alerts by time; an alert to both audiences comes once, as the platform reads it."""
    moments = [
        {"at": parse(event["time"]), "event": event, "alert": None}
        for event in (*story["events"], *story["related_events"])
    ]
    alerts: dict[tuple[str, ...], dict[str, Any]] = {}
    for alert in (*story["alerts"], *story["related_alerts"]):
        data = alert["data"]
        key = (alert["type"], alert["subject"], data["episode"], data["status"])
        if key not in alerts or data["audience"] == "platform":
            alerts[key] = {"at": parse(alert["time"]), "event": None, "alert": alert | {"name": name_of(alert["type"])}}
    moments = sorted([*moments, *alerts.values()], key=itemgetter("at"))
    pending = [check for check in story["checks"] if check["outcome"] == "pending"]
    others = [check for check in story["checks"] if check["outcome"] != "pending"]
    return story | {
        "moments": moments[-_MOST:],
        "left_out": max(0, len(moments) - _MOST),
        "pending": sorted(pending, key=lambda check: check["due"] or "")[:_MOST],
        "others": others[-_MOST:],
        "parse": parse,
    }
