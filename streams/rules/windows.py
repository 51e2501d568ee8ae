"""The windows in which shops are judged."""

from __future__ import annotations

from schemas.times import DAY

#: In microseconds, the longest last.
WINDOWS = (7 * DAY, 30 * DAY)
LONGEST = WINDOWS[-1]
