"""The sizes in which the model is checked, and the one in which each mutation shows."""

from __future__ import annotations

from tests.model.protocol import Bounds

#: Each of them exhaustively.
CHECKED = {
    "a task moves": Bounds(records=2, moves=1),
    "an answer is lost": Bounds(records=1, moves=1, losses=1),
    "a worker is killed": Bounds(records=1, moves=1, kills=1, standbys=True),
    "a task moves and returns": Bounds(records=1, moves=2),
    "a transaction times out": Bounds(records=1, moves=1, timeouts=1),
    "a standby takes over": Bounds(records=2, moves=1, standbys=True),
    "two tasks in a chain, trimmed behind the reader": Bounds(records=1, tasks=2, moves=1, trimming=True),
    "forgetting meanwhile": Bounds(records=2, moves=0, forgetting=True),
}
#: Where each mutation shows.
SHOWS = {
    "offsets outside of the transaction": "a task moves",
    "no fencing": "a task moves",
    "a new producer does not wait for markers": "a task moves",
    "restored before the producer is there": "a task moves",
    "state kept though others have written": "a task moves and returns",
    "a standby takes over without catching up": "a standby takes over",
    "aborted records are read": "a task moves",
    "an unknown commit counts as failed": "an answer is lost",
    "an unknown commit counts as done": "an answer is lost",
    "trimmed before the commit": "two tasks in a chain, trimmed behind the reader",
    "forgetting without a fence": "forgetting meanwhile",
    "the group's offset is asked for too late": "a task moves",
    "what was deleted is lost, though another has read it": "two tasks in a chain, trimmed behind the reader",
}
