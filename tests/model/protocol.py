"""The protocol of a task, step by step, as `streams/engine/runner.py` and `streams/worker/group.py` have it.

A chain of tasks: the first reads a log of some records, each of the others what the one before it puts out. The state
of a task is how many records it has taken; what it puts out for a record is the record and that number, so whatever
is lost, doubled or out of order shows. All steps of all workers interleave; a worker that makes
no step is a stopped one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from tests.model.kafka import Entry, Log, Producer, append, committed, stable


class Copy(NamedTuple):
    """A standby's copy of a changelog: up to which offset, and the row there."""

    offset: int
    position: int
    count: int


class Runner(NamedTuple):
    """A task in a worker. `phase`: what it does next; `count`: records taken; `out`: put out and not committed.

    `begun`: position and count before the transaction under way. `end`: of the changelog, as it knows it.
    """

    phase: str = "idle"
    epoch: int = -1
    position: int = 0
    count: int = 0
    end: int = -1
    out: tuple[tuple[int, int], ...] = ()
    leaving: bool = False
    #: The group's offset, as it was told.
    seen: int = 0


class State(NamedTuple):
    """Everything. `runners` and `copies` by worker and task; `owners`: whom the group has given each task."""

    changelogs: tuple[Log, ...]
    outputs: tuple[Log, ...]
    producers: tuple[Producer, ...]
    offsets: tuple[int, ...]
    owners: tuple[int, ...]
    runners: tuple[tuple[Runner, ...], ...]
    copies: tuple[tuple[Copy | None, ...], ...]
    #: Who forgets: phase, epoch, position and count read, end of what was read.
    forgetter: tuple[str, int, int, int]
    number: int
    kills: int
    losses: int
    moves: int
    timeouts: int
    refusals: int
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much there is of everything, and how often each fault may happen."""

    records: int = 2
    tasks: int = 1
    workers: int = 2
    kills: int = 0
    losses: int = 0
    moves: int = 1
    timeouts: int = 0
    refusals: int = 0
    standbys: bool = False
    forgetting: bool = False
    trimming: bool = False


#: What is no part of the protocol: each must be found wrong.
MUTATIONS = (
    "offsets outside of the transaction",
    "no fencing",
    "a new producer does not wait for markers",
    "restored before the producer is there",
    "state kept though others have written",
    "a standby takes over without catching up",
    "aborted records are read",
    "an unknown commit counts as failed",
    "an unknown commit counts as done",
    "trimmed before the commit",
    "forgetting without a fence",
    "the group's offset is asked for too late",
    "what was deleted is lost, though another has read it",
)
#: Added to a count by forgetting, which every later state must have.
FORGOTTEN = 100

T = TypeVar("T")

_OPENING = frozenset({"init", "wait", "ask", "end", "restore", "settle"})


class Model:
    """The protocol with these bounds. `mutation`: one of `MUTATIONS`, or nothing."""

    def __init__(self, bounds: Bounds, mutation: str = "") -> None:
        assert not mutation or mutation in MUTATIONS
        self.bounds = bounds
        self.mutation = mutation

    def first(self) -> State:
        bounds = self.bounds
        idle = (Runner(),) * bounds.tasks
        runners = (tuple(Runner("init") for _ in range(bounds.tasks)), *(idle for _ in range(bounds.workers - 1)))
        return State(
            changelogs=(Log(),) * bounds.tasks,
            outputs=(Log(),) * bounds.tasks,
            producers=(Producer(),) * bounds.tasks,
            offsets=(0,) * bounds.tasks,
            owners=(0,) * bounds.tasks,
            runners=runners,
            copies=((None,) * bounds.tasks,) * bounds.workers,
            forgetter=("begin" if bounds.forgetting else "done", 0, 0, 0),
            number=1,
            kills=bounds.kills,
            losses=bounds.losses,
            moves=bounds.moves,
            timeouts=bounds.timeouts,
            refusals=bounds.refusals,
        )

    # -- what must hold

    def wrong(self, state: State) -> str:
        """What is wrong with a state; empty if nothing."""
        if state.wrong:
            return state.wrong
        for task, log in enumerate(state.outputs):
            found = [(record, count % FORGOTTEN) for _, (record, count) in committed(log)]
            wanted = [(number, number) for number in range(1, len(found) + 1)]
            if found != wanted:
                return f"task {task} has put out {found}"
            marked = [count >= FORGOTTEN for _, (_, count) in committed(state.changelogs[task])]
            if marked != sorted(marked):
                return f"task {task} has back what was forgotten"
        return ""

    def done(self, state: State) -> bool:
        """Whether all is put out, and forgotten."""
        return state.forgetter[0] == "done" and all(len(committed(log)) == self.bounds.records for log in state.outputs)

    # -- steps

    def steps(self, state: State) -> Iterator[tuple[str, State]]:
        """Every step that is possible, with a name, and the state after it."""
        if state.wrong:
            return
        for task in range(self.bounds.tasks):
            yield from self._markers(state, task)
            yield from self._moves(state, task)
            for worker in range(self.bounds.workers):
                yield from self._told(state, worker, task)
                yield from self._work(state, worker, task)
                if self.bounds.standbys:
                    yield from self._follow(state, worker, task)
        if self.bounds.forgetting:
            yield from self._forget(state)
        yield from self._faults(state)

    def _faults(self, state: State) -> Iterator[tuple[str, State]]:
        if state.kills:
            for worker in range(self.bounds.workers):
                if any(each.phase != "idle" for each in state.runners[worker]):
                    again = tuple(
                        Runner("init") if state.owners[task] == worker else Runner()
                        for task in range(self.bounds.tasks)
                    )
                    runners = _put(state.runners, worker, again)
                    copies = _put(state.copies, worker, (None,) * self.bounds.tasks)
                    yield (
                        f"worker {worker} is killed",
                        state._replace(runners=runners, copies=copies, kills=state.kills - 1),
                    )
        for task, producer in enumerate(state.producers):
            if producer.transaction and not producer.ending:
                # One that nobody will end always does; the time of another may be over, too.
                alone = not self._is_held(state, task)
                if alone or state.timeouts:
                    ended = self._end(producer._replace(epoch=producer.epoch + 1), "abort")
                    after = state._replace(
                        producers=_put(state.producers, task, ended), timeouts=state.timeouts - (not alone)
                    )
                    yield f"the transaction of task {task} times out", after

    def _is_held(self, state: State, task: int) -> bool:
        """Whether somebody has a transaction open, and will end it."""
        epoch = state.producers[task].epoch
        forgets = task == 0 and state.forgetter[0] == "commit" and state.forgetter[1] == epoch
        phases = ("changelog", "output", "offset", "commit")
        return forgets or any(row[task].epoch == epoch and row[task].phase in phases for row in state.runners)

    # -- the group

    def _moves(self, state: State, task: int) -> Iterator[tuple[str, State]]:
        """The group gives a task to another: the owner has left it, or its session has ended and it does not know."""
        if not state.moves:
            return
        for worker in range(self.bounds.workers):
            if worker != state.owners[task]:
                yield (
                    f"task {task} is given to worker {worker}",
                    state._replace(owners=_put(state.owners, task, worker), moves=state.moves - 1),
                )

    def _told(self, state: State, worker: int, task: int) -> Iterator[tuple[str, State]]:
        runner = state.runners[worker][task]
        if state.owners[task] == worker:
            if runner.phase in ("idle", "kept"):
                # What it kept is of use where nobody has written since.
                fresh = runner._replace(phase="init", leaving=False) if runner.phase == "kept" else Runner("init")
                yield f"worker {worker} takes task {task}", self._set(state, worker, task, fresh)
        elif runner.phase in _OPENING or runner.phase == "failed":
            yield f"worker {worker} gives up task {task}", self._set(state, worker, task, Runner())
        elif runner.phase not in ("idle", "kept") and not runner.leaving:
            if runner.phase == "run" and not runner.out:
                yield f"worker {worker} gives up task {task}", self._set(state, worker, task, _kept(runner))
            else:
                yield (
                    f"worker {worker} is to leave task {task}",
                    self._set(state, worker, task, runner._replace(leaving=True)),
                )

    # -- the life of a task in a worker

    def _work(self, state: State, worker: int, task: int) -> Iterator[tuple[str, State]]:
        runner = state.runners[worker][task]
        phase = runner.phase
        who = f"worker {worker}, task {task}"
        if phase == "failed":
            # Given up: everything of it is thrown away, and it is taken over again.
            yield f"{who}: begins anew", self._set(state, worker, task, Runner("init"))
        elif phase in ("init", "wait"):
            yield from self._init(state, worker, task, runner, who)
        elif phase == "ask":
            asked = runner._replace(phase="end", seen=state.offsets[task])
            yield f"{who}: asks for the group's offset", self._set(state, worker, task, asked)
        elif phase == "end":
            yield from self._open(state, worker, task, runner, who)
        elif phase == "settle":
            yield from self._settle(state, worker, task, runner, who)
        elif phase == "restore":
            yield from self._restore(state, worker, task, runner, who)
        elif phase == "run":
            yield from self._run(state, worker, task, runner, who)
        elif phase in ("changelog", "output", "offset", "commit"):
            yield from self._commit(state, worker, task, runner, who)

    def _init(self, state: State, worker: int, task: int, runner: Runner, who: str) -> Iterator[tuple[str, State]]:
        if self.mutation == "restored before the producer is there" and runner.end < 0:
            yield (
                f"{who}: restores too early",
                self._set(
                    state, worker, task, self._restored(state, worker, task, runner)._replace(phase=runner.phase)
                ),
            )
            return
        producer = state.producers[task]
        if producer.ending and self.mutation != "a new producer does not wait for markers":
            return  # it waits
        if producer.transaction and not producer.ending:
            if runner.phase == "init":
                # Once: who takes it over in the meantime might be interrupted for ever.
                ended = self._end(producer._replace(epoch=producer.epoch + 1), "abort")
                after = state._replace(producers=_put(state.producers, task, ended))
                waiting = runner._replace(phase="wait")
                yield f"{who}: ends what was open", self._set(after, worker, task, waiting)
            return
        taken = producer._replace(epoch=producer.epoch + 1)
        after = state._replace(producers=_put(state.producers, task, taken))
        if self.mutation == "restored before the producer is there":
            opened = runner._replace(phase="run", epoch=taken.epoch)
        else:
            opened = runner._replace(phase="ask", epoch=taken.epoch)
        yield f"{who}: has a producer", self._set(after, worker, task, opened)

    def _open(self, state: State, worker: int, task: int, runner: Runner, who: str) -> Iterator[tuple[str, State]]:
        log = state.changelogs[task]
        if runner.out and self.mutation == "an unknown commit counts as failed":
            yield f"{who}: goes on", self._set(state, worker, task, runner._replace(phase="run", seen=0))
            return
        if runner.end >= 0 and (runner.end == log.end or self.mutation == "state kept though others have written"):
            yield (
                f"{who}: goes on with what it kept",
                self._set(state, worker, task, runner._replace(phase="run", out=())),
            )
            return
        opened = runner._replace(phase="restore", end=log.end, out=())
        yield f"{who}: asks for the end of its changelog", self._set(state, worker, task, opened)

    def _restore(self, state: State, worker: int, task: int, runner: Runner, who: str) -> Iterator[tuple[str, State]]:
        log = state.changelogs[task]
        if stable(log) < runner.end and self.mutation not in (
            "aborted records are read",
            "a new producer does not wait for markers",
        ):
            return  # it waits
        restored = self._restored(state, worker, task, runner)
        after = self._set(state, worker, task, restored)
        after = after._replace(copies=_put(after.copies, worker, _put(after.copies[worker], task, None)))
        seen = state.offsets[task] if self.mutation == "the group's offset is asked for too late" else runner.seen
        if seen > restored.position:
            after = after._replace(wrong=f"{who}: the group's offset is beyond the state, and the worker stops")
        yield f"{who}: is restored", after

    def _settle(self, state: State, worker: int, task: int, runner: Runner, who: str) -> Iterator[tuple[str, State]]:
        """Compares the position with what the log it reads still has."""
        if task == 0 or runner.position >= state.outputs[task - 1].begin:
            yield f"{who}: goes on", self._set(state, worker, task, runner._replace(phase="run"))
        elif (
            runner.end == state.changelogs[task].end
            or self.mutation == "what was deleted is lost, though another has read it"
        ):
            yield f"{who}: misses records", state._replace(wrong=f"{who}: records are lost, and the worker stops")
        else:
            yield f"{who}: is behind another", self._set(state, worker, task, Runner("failed"))

    def _restored(self, state: State, worker: int, task: int, runner: Runner) -> Runner:
        log = state.changelogs[task]
        copy = state.copies[worker][task]
        position, count = (copy.position, copy.count) if copy is not None else (0, 0)
        start = copy.offset if copy is not None else 0
        if copy is None or self.mutation != "a standby takes over without catching up":
            end = max(runner.end, 0) if runner.phase == "restore" else log.end
            for offset, row in committed(log, self.mutation == "aborted records are read"):
                if start <= offset < end:
                    position, count = row
        if self.mutation == "offsets outside of the transaction":
            position = state.offsets[task]
        end = runner.end if runner.phase == "restore" else log.end
        return runner._replace(phase="settle", position=position, count=count, end=end, out=(), seen=0)

    def _run(self, state: State, worker: int, task: int, runner: Runner, who: str) -> Iterator[tuple[str, State]]:
        if not runner.leaving:
            if task == 0:
                following = runner.position + 1 if runner.position < self.bounds.records else 0
                record, position = following, following
            else:
                log = state.outputs[task - 1]
                record = position = 0
                if runner.position < log.begin:
                    yield f"{who}: what it reads is deleted", self._set(state, worker, task, Runner("failed"))
                    return
                for offset, payload in committed(log, self.mutation == "aborted records are read"):
                    if offset >= runner.position:
                        record, position = payload[0], offset + 1
                        break
            if record:
                count = runner.count + 1
                taken = runner._replace(position=position, count=count, out=(*runner.out, (record, count)))
                yield f"{who}: takes record {record}", self._set(state, worker, task, taken)
                if self.mutation == "trimmed before the commit" and task:
                    yield from self._trim(self._set(state, worker, task, taken), task, position, who)
        if runner.out:
            yield f"{who}: begins a commit", self._set(state, worker, task, runner._replace(phase="changelog"))
        elif runner.leaving:
            yield f"{who}: has left", self._set(state, worker, task, _kept(runner))
        elif self.bounds.trimming and task and state.outputs[task - 1].begin < runner.position:
            yield from self._trim(state, task, runner.position, who)

    def _trim(self, state: State, task: int, position: int, who: str) -> Iterator[tuple[str, State]]:
        """Deletes what has been read. (The checker goes by what the log has held, whatever is deleted of it.)"""
        if self.bounds.trimming:
            log = state.outputs[task - 1]._replace(begin=position)
            yield f"{who}: trims to {position}", state._replace(outputs=_put(state.outputs, task - 1, log))

    def _commit(self, state: State, worker: int, task: int, runner: Runner, who: str) -> Iterator[tuple[str, State]]:
        """One request; its answer may be lost, or the request itself."""
        phase, producer = runner.phase, state.producers[task]
        outside = self.mutation == "offsets outside of the transaction"
        if phase == "offset" and outside:
            # A request of its own, behind the transaction.
            after = state._replace(offsets=_put(state.offsets, task, runner.position))
            yield f"{who}: commits its offset", self._set(after, worker, task, _after(runner))
            return
        fenced = producer.epoch != runner.epoch and self.mutation != "no fencing"
        if not fenced and producer.ending:
            return  # the transaction before is being ended: it asks again
        if fenced:
            if runner.leaving:
                yield f"{who}: is fenced and leaves", self._set(state, worker, task, Runner())
            elif state.refusals:
                after = state._replace(refusals=state.refusals - 1)
                yield f"{who}: is fenced", self._set(after, worker, task, Runner("failed"))
            elif state.owners[task] == worker:
                yield f"{who}: is fenced", self._set(state, worker, task, Runner("failed"))
            return  # else: until it has heard that the task is another's
        after, following = self._request(state, task, runner)
        if following is None:
            following = _after(runner)
        yield f"{who}: {phase}", self._set(after, worker, task, following)
        if state.losses:
            lost = after._replace(losses=state.losses - 1)
            yield f"{who}: {phase}, and the answer is lost", self._set(lost, worker, task, self._unknown(runner))
            unsent = state._replace(losses=state.losses - 1)
            yield f"{who}: {phase} does not arrive", self._set(unsent, worker, task, self._unknown(runner))

    def _unknown(self, runner: Runner) -> Runner:
        """What a task does whose commit has an unknown outcome."""
        if runner.phase == "commit" and self.mutation == "an unknown commit counts as done":
            return _after(runner)
        if self.mutation == "an unknown commit counts as failed":
            # It sends again what it has, by a new producer, without restoring anything.
            return runner._replace(phase="init", end=1 << 20, leaving=False)
        return Runner() if runner.leaving else Runner("failed")

    def _request(self, state: State, task: int, runner: Runner) -> tuple[State, Runner | None]:
        """What a request of a commit does at the brokers, and what comes next; None: the commit is complete."""
        producer, number = state.producers[task], state.number
        if not producer.transaction:
            producer = producer._replace(transaction=number)
            state = state._replace(number=number + 1)
        transaction = producer.transaction
        if runner.phase == "changelog":
            row = Entry(transaction, "record", (runner.position, runner.count))
            log = append(state.changelogs[task], row)
            producer = producer._replace(touched=producer.touched | {2 * task})
            state = state._replace(changelogs=_put(state.changelogs, task, log))
            following = runner._replace(phase="output", end=log.end + 1)
        elif runner.phase == "output":
            log = state.outputs[task]
            for record in runner.out:
                log = append(log, Entry(transaction, "record", record))
            producer = producer._replace(touched=producer.touched | {2 * task + 1})
            state = state._replace(outputs=_put(state.outputs, task, log))
            outside = self.mutation == "offsets outside of the transaction"
            following = runner._replace(phase="commit" if outside else "offset")
        elif runner.phase == "offset":
            producer = producer._replace(offset=runner.position)
            following = runner._replace(phase="commit")
        else:
            producer = self._end(producer, "commit")
            outside = self.mutation == "offsets outside of the transaction"
            state = state._replace(producers=_put(state.producers, task, producer))
            return state, runner._replace(phase="offset") if outside else None
        return state._replace(producers=_put(state.producers, task, producer)), following

    # -- transactions

    def _end(self, producer: Producer, ending: str) -> Producer:
        marks = producer.touched | ({-1} if producer.offset >= 0 and ending == "commit" else frozenset())
        if not marks:
            return Producer(producer.epoch)
        return producer._replace(ending=ending, marks=marks)

    def _markers(self, state: State, task: int) -> Iterator[tuple[str, State]]:
        """Markers arrive one by one, in any order."""
        producer = state.producers[task]
        if not producer.ending:
            return
        marker = Entry(producer.transaction, producer.ending)
        for mark in producer.marks:
            after = state
            if mark == -1:
                after = after._replace(offsets=_put(after.offsets, task, producer.offset))
            elif mark % 2:
                after = after._replace(outputs=_put(after.outputs, mark // 2, append(after.outputs[mark // 2], marker)))
            else:
                after = after._replace(
                    changelogs=_put(after.changelogs, mark // 2, append(after.changelogs[mark // 2], marker))
                )
            left = producer.marks - {mark}
            ended = producer._replace(marks=left) if left else Producer(producer.epoch)
            yield (
                f"marker {producer.ending} of task {task} in {mark}",
                after._replace(producers=_put(after.producers, task, ended)),
            )

    # -- standbys

    def _follow(self, state: State, worker: int, task: int) -> Iterator[tuple[str, State]]:
        if state.owners[task] == worker or state.runners[worker][task].phase != "idle":
            return
        copy = state.copies[worker][task] or Copy(0, 0, 0)
        for offset, row in committed(state.changelogs[task], self.mutation == "aborted records are read"):
            if offset >= copy.offset:
                after = Copy(offset + 1, *row)
                yield (
                    f"worker {worker} follows task {task} to {offset}",
                    state._replace(copies=_put(state.copies, worker, _put(state.copies[worker], task, after))),
                )
                return

    # -- forgetting

    def _forget(self, state: State) -> Iterator[tuple[str, State]]:
        """Task 0 is taken over for a moment, as by a worker, and its row is written without what is forgotten."""
        phase, epoch, position, count = state.forgetter
        producer, log = state.producers[0], state.changelogs[0]
        unfenced = self.mutation == "forgetting without a fence"
        if phase in ("begin", "wait"):
            if not committed(log):
                if self.bounds.records == len(committed(state.outputs[0])):
                    yield "there is nothing to forget", state._replace(forgetter=("done", 0, 0, 0))
                return
            if unfenced:
                _, row = committed(log)[-1]
                yield "forget: reads", state._replace(forgetter=("write", 0, *row))
            elif producer.ending:
                return
            elif producer.transaction:
                if phase == "begin":
                    ended = self._end(producer._replace(epoch=producer.epoch + 1), "abort")
                    yield (
                        "forget: ends what was open",
                        state._replace(producers=_put(state.producers, 0, ended), forgetter=("wait", 0, 0, 0)),
                    )
            else:
                taken = producer._replace(epoch=producer.epoch + 1)
                yield (
                    "forget: has a producer",
                    state._replace(producers=_put(state.producers, 0, taken), forgetter=("read", taken.epoch, 0, 0)),
                )
        elif phase == "read":
            _, row = committed(log)[-1]
            yield "forget: reads", state._replace(forgetter=("write", epoch, *row))
        elif phase == "write":
            row = Entry(0 if unfenced else state.number, "record", (position, count % FORGOTTEN + FORGOTTEN))
            if unfenced:
                yield (
                    "forget: writes",
                    state._replace(changelogs=_put(state.changelogs, 0, append(log, row)), forgetter=("done", 0, 0, 0)),
                )
            elif producer.epoch != epoch:
                yield "forget: is fenced, and gives up", state._replace(forgetter=("done", 0, 0, 0))
            else:
                begun = producer._replace(transaction=state.number, touched=frozenset({0}))
                yield (
                    "forget: writes",
                    state._replace(
                        changelogs=_put(state.changelogs, 0, append(log, row)),
                        producers=_put(state.producers, 0, begun),
                        number=state.number + 1,
                        forgetter=("commit", epoch, position, count),
                    ),
                )
        elif phase == "commit":
            if producer.epoch != epoch:
                yield "forget: is fenced, and gives up", state._replace(forgetter=("done", 0, 0, 0))
            else:
                yield (
                    "forget: commits",
                    state._replace(
                        producers=_put(state.producers, 0, self._end(producer, "commit")), forgetter=("done", 0, 0, 0)
                    ),
                )

    def canonical(self, state: State) -> State:
        """The same with the epochs as 1 (the producer's) and 0 (fenced): nothing else about them matters."""
        if all(each.epoch == 1 for each in state.producers):
            return state
        epochs = [each.epoch for each in state.producers]
        runners = tuple(
            tuple(
                each if each.epoch < 0 else each._replace(epoch=int(each.epoch == epochs[task]))
                for task, each in enumerate(row)
            )
            for row in state.runners
        )
        phase, epoch, position, count = state.forgetter
        return state._replace(
            runners=runners,
            producers=tuple(each._replace(epoch=1) for each in state.producers),
            forgetter=(phase, int(epoch == epochs[0]), position, count),
        )

    def _set(self, state: State, worker: int, task: int, runner: Runner) -> State:
        return state._replace(runners=_put(state.runners, worker, _put(state.runners[worker], task, runner)))


def _after(runner: Runner) -> Runner:
    """A task whose commit is complete."""
    complete = runner._replace(phase="run", out=())
    return _kept(complete) if runner.leaving else complete


def _kept(runner: Runner) -> Runner:
    """What is left of a task that was given up with all committed; one that never committed is not kept."""
    return Runner("kept", -1, runner.position, runner.count, runner.end) if runner.end > 0 else Runner()


def _put(items: tuple[T, ...], place: int, item: T) -> tuple[T, ...]:
    return (*items[:place], item, *items[place + 1 :])
