"""Looks at every state that can be reached, breadth first, so that what is found wrong is found by a shortest way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tests.model.protocol import Model, State


@dataclass(slots=True)
class Found:
    """How many states and steps there are, and the shortest way to one that is wrong, if any."""

    states: int = 0
    steps: int = 0
    wrong: str = ""
    way: list[str] = field(default_factory=list)


def check(model: Model, most: int = 3_000_000) -> Found:
    """Every reachable state must be right, and from every one of them the end must be reachable."""
    first = model.first()
    numbers: dict[State, int] = {first: 0}
    states = [first]
    before: list[list[int]] = [[]]
    parents: list[tuple[int, str]] = [(-1, "")]
    done: list[int] = []
    found = Found()
    waiting = deque([0])
    while waiting:
        number = waiting.popleft()
        state = states[number]
        if wrong := model.wrong(state):
            found.states, found.wrong, found.way = len(states), wrong, _way(parents, number)
            return found
        if model.done(state):
            done.append(number)
        for name, after in model.steps(state):
            found.steps += 1
            after = model.canonical(after)
            place = numbers.get(after)
            if place is None:
                place = numbers[after] = len(states)
                states.append(after)
                before.append([])
                parents.append((number, name))
                waiting.append(place)
                if place > most:
                    raise AssertionError(f"more than {most} states")
            before[place].append(number)
    found.states = len(states)
    reaches = set(done)
    waiting = deque(done)
    while waiting:
        for number in before[waiting.popleft()]:
            if number not in reaches:
                reaches.add(number)
                waiting.append(number)
    stuck = next((number for number in range(len(states)) if number not in reaches), None)
    if stuck is not None:
        found.wrong, found.way = "the end cannot be reached any more", _way(parents, stuck)
    return found


def _way(parents: list[tuple[int, str]], number: int) -> list[str]:
    way = []
    while number > 0:
        number, name = parents[number]
        way.append(name)
    return way[::-1]
