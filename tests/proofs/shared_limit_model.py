"""A model of the limit shared through a store: small enough to look at everything that can happen.

Time is ticks. A window is `WINDOW` of them, an attempt ends within `LONGEST` after its permit
was granted, a permit that is not released expires then. `SLOTS` attempts may arrive in a window.
Processes ask, attempt, release, lose answers, crash; the store is flushed, replaced by a copy
(failover), its clock is set forward and back. In between a tick passes, at any moment.

A state holds times relative to now, so that two states which differ only in when they happen
are one. What the store does is written down as `redis.lua` does it, and `test_shared_limit_model`
replays random paths through both.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

SLOTS, WINDOW, LONGEST = 2, 2, 1
QUARANTINE = WINDOW + LONGEST
#: Ticks by which the store's clock is set.
FORWARD, BACK = 2, 2

IDLE, GRANTED, ARRIVED, GONE = range(4)
SAME, EMPTY, REPLACED = range(3)


class Client(NamedTuple):
    """A process."""

    phase: int = IDLE
    #: Ticks until the attempt must have ended.
    left: int = 0
    #: Ticks until its permit expires, by the store; None is none held.
    held: int | None = None
    #: Ticks by which the store's clock has moved, unexplained, since the process last saw it.
    jumped: int = 0


class State(NamedTuple):
    """Everything, at one moment."""

    clients: tuple[Client, ...]
    #: The same server, an empty one, or one that took its place.
    server: int = SAME
    #: Ticks until the permits of dead processes expire.
    orphans: tuple[int, ...] = ()
    #: Ticks since attempts ended, latest first; those that may still be inside a window.
    ends: tuple[int, ...] = ()
    #: Ticks until attempts may start.
    closed: int = 0
    #: Ticks since the store's last step, by its clock; below 0, that was set back.
    seen: int = 0
    #: Ticks since attempts arrived at the API; only those inside a window.
    arrivals: tuple[int, ...] = ()
    #: Ticks within which what dead processes have sent may arrive.
    on_the_way: tuple[int, ...] = ()
    #: By how much the store's clock was set, as the store knows it; and before its last step.
    known: int = 0
    known_before: int = 0
    faults: int = 2


class Rules(NamedTuple):
    """The protocol; each variant that is wrong differs in one."""

    quarantine: int = QUARANTINE
    #: Ticks for which a released slot is not free.
    held_back: int = WINDOW
    #: Ticks after which a permit expires.
    lease: int = LONGEST
    #: Ticks after which an attempt ends that should have ended by then.
    overrun: int = 0
    #: Which steps of the store's clock a process notices.
    notices: tuple[int, ...] = (1, -1)


RIGHT = Rules()
WRONG = {
    "no quarantine": RIGHT._replace(quarantine=0),
    "a slot is free on release": RIGHT._replace(held_back=0),
    "a lease of one window only": RIGHT._replace(lease=0),
    "attempts overrun": RIGHT._replace(overrun=1),
    "the clock set forward is not noticed": RIGHT._replace(notices=()),
    "the clock set back is left to the store": RIGHT._replace(notices=(1,)),
}

Step = tuple[str, int]


def begin(clients: int) -> State:
    """Return a state in which every process has seen the store, and none has asked."""
    return State(tuple(Client() for _ in range(clients)))


def is_broken(state: State) -> bool:
    """Return whether a window has seen more arrivals than there are slots."""
    return len(state.arrivals) > SLOTS


# The store.


def forget(state: State, quarantine: int) -> State:
    """Begin anew; nothing starts for so long."""
    clients = tuple(each._replace(held=None) for each in state.clients)
    return state._replace(
        clients=clients, server=SAME, orphans=(), ends=(), closed=quarantine, seen=0
    )


def prologue(state: State, rules: Rules, *, acquires: bool) -> State:
    """Do what each step of the store does first."""
    state = state._replace(known_before=state.known)
    if state.server == EMPTY or (acquires and state.server == REPLACED):
        state = forget(state, rules.quarantine)
    elif state.seen < 0:
        state = forget(learn(state, state.seen), rules.quarantine)
    return expire(state._replace(seen=0))


def learn(state: State, by: int) -> State:
    """Have the store know that its clock was set: to the processes that is explained now."""
    clients = tuple(
        each if each.phase == GONE else each._replace(jumped=each.jumped - by)
        for each in state.clients
    )
    return state._replace(clients=clients, known=state.known + by)


def expire(state: State) -> State:
    """Take what must have ended for ended."""
    late = [each.held for each in state.clients if each.held is not None and each.held <= 0]
    late += [each for each in state.orphans if each <= 0]
    if not late:
        return state
    clients = tuple(
        each._replace(held=None) if each.held is not None and each.held <= 0 else each
        for each in state.clients
    )
    orphans = tuple(each for each in state.orphans if each > 0)
    ends = tuple(sorted([*state.ends, *(-each for each in late)]))
    return state._replace(clients=clients, orphans=orphans, ends=ends[:SLOTS])


def inside(ages: tuple[int, ...], window: int) -> tuple[int, ...]:
    """Return those inside a window."""
    return tuple(each for each in ages if each < window)


def in_flight(state: State) -> int:
    """Return how many permits are held."""
    return len(state.orphans) + sum(each.held is not None for each in state.clients)


def grants(state: State, index: int, rules: Rules) -> bool:
    """Return whether a process that asks gets a permit, or has it already."""
    if state.clients[index].held is not None:
        return True
    taken = in_flight(state) + len(inside(state.ends, rules.held_back))
    return state.closed <= 0 and taken < SLOTS


# The processes.


def put(state: State, index: int, client: Client) -> State:
    """Return the state with another state of one process."""
    clients = state.clients
    return state._replace(clients=(*clients[:index], client, *clients[index + 1 :]))


def guard(state: State, index: int, rules: Rules) -> tuple[State, bool]:
    """Have a process compare the store's clock with its own; return whether it was honest."""
    by = state.clients[index].jumped
    if by and (by > 0) - (by < 0) in rules.notices:
        state = learn(state._replace(known_before=state.known), by)
        return forget(state, rules.quarantine), False
    return put(state, index, state.clients[index]._replace(jumped=0)), True


def ask(state: State, index: int, rules: Rules, *, is_lost: bool = False) -> State:
    """Ask for a permit; the answer may be lost on the way."""
    state = prologue(state, rules, acquires=True)
    if is_granted := grants(state, index, rules):
        state = put(state, index, state.clients[index]._replace(held=rules.lease))
    if is_lost:
        return state
    state, is_honest = guard(state, index, rules)
    if is_granted and is_honest:
        client = state.clients[index]._replace(phase=GRANTED, left=LONGEST + rules.overrun)
        state = put(state, index, client)
    return state


def arrive(state: State, index: int) -> State:
    """Let an attempt arrive at the API."""
    state = put(state, index, state.clients[index]._replace(phase=ARRIVED))
    return state._replace(arrivals=(0, *state.arrivals))


def release(state: State, index: int, rules: Rules, *, is_lost: bool = False) -> State:
    """End an attempt, with or without a word to the store."""
    client = state.clients[index]._replace(phase=IDLE, left=0)
    if is_lost:
        orphans = state.orphans if client.held is None else (client.held, *state.orphans)
        return put(state._replace(orphans=orphans), index, client._replace(held=None))
    state = prologue(put(state, index, client), rules, acquires=False)
    client = state.clients[index]
    if client.held is not None:
        state = put(state, index, client._replace(held=None))
        state = state._replace(ends=(0, *state.ends)[:SLOTS])
    return guard(state, index, rules)[0]


def crash(state: State, index: int) -> State:
    """Kill a process; what it has sent may still arrive."""
    client = state.clients[index]
    orphans = state.orphans if client.held is None else (client.held, *state.orphans)
    on_the_way = state.on_the_way
    if client.phase == GRANTED:
        on_the_way = (client.left, *on_the_way)
    state = put(state, index, Client(GONE))
    return state._replace(orphans=orphans, on_the_way=on_the_way, faults=state.faults - 1)


def deliver(state: State, index: int) -> State:
    """Let what a dead process has sent arrive."""
    on_the_way = state.on_the_way[:index] + state.on_the_way[index + 1 :]
    return state._replace(on_the_way=on_the_way, arrivals=(0, *state.arrivals))


# Time, and the store's faults.


def tick(state: State, rules: Rules) -> State | None:
    """Let a tick pass, unless an attempt must end before."""
    if any(each.phase in {GRANTED, ARRIVED} and each.left <= 0 for each in state.clients):
        return None
    return move_store_clock(
        state._replace(
            clients=tuple(
                each._replace(left=each.left - 1) if each.left else each for each in state.clients
            ),
            arrivals=inside(tuple(each + 1 for each in state.arrivals), WINDOW),
            on_the_way=tuple(each - 1 for each in state.on_the_way if each > 0),
        ),
        1,
        rules,
    )


def move_store_clock(state: State, by: int, rules: Rules) -> State:
    """Let the store's clock go on, or be set."""
    # What is as far back as the clock can still be set makes no difference any more.
    past = BACK * state.faults
    return state._replace(
        clients=tuple(
            each if each.held is None else each._replace(held=max(each.held - by, -WINDOW - past))
            for each in state.clients
        ),
        orphans=tuple(max(each - by, -WINDOW - past) for each in state.orphans),
        ends=inside(tuple(each + by for each in state.ends), rules.held_back + past),
        closed=max(state.closed - by, -past),
        seen=min(state.seen + by, past),
    )


def set_clock(state: State, by: int, rules: Rules) -> State:
    """Set the store's clock."""
    clients = tuple(
        each if each.phase == GONE else each._replace(jumped=each.jumped + by)
        for each in state.clients
    )
    state = state._replace(clients=clients, faults=state.faults - 1)
    return move_store_clock(state, by, rules)


def flush(state: State) -> State:
    """Empty the store."""
    state = forget(learn(state, -state.known), 0)
    return state._replace(server=EMPTY, known_before=0, faults=state.faults - 1)


def fail_over(state: State) -> State:
    """Let a copy without the last step take the store's place.

    What else it has makes no difference, as the first to ask makes it forget that.
    """
    state = learn(state, state.known_before - state.known)
    server = EMPTY if state.server == EMPTY else REPLACED
    return state._replace(server=server, faults=state.faults - 1)


def successors(state: State, rules: Rules) -> Iterator[tuple[Step, State]]:
    """Return each step that can happen next, and where it leads."""
    later = tick(state, rules)
    if later is not None:
        yield ("tick", 0), later
    for index, client in enumerate(state.clients):
        if client.phase == IDLE:
            yield ("ask", index), ask(state, index, rules)
            yield ("ask, answer lost", index), ask(state, index, rules, is_lost=True)
        elif client.phase == GRANTED:
            yield ("arrive", index), arrive(state, index)
        elif client.phase == ARRIVED:
            yield ("release", index), release(state, index, rules)
            yield ("release lost", index), release(state, index, rules, is_lost=True)
    for index in range(len(state.on_the_way)):
        yield ("arrive late", index), deliver(state, index)
    if state.faults:
        yield from faults(state, rules)


def faults(state: State, rules: Rules) -> Iterator[tuple[Step, State]]:
    """Return each fault that can happen next."""
    for index, client in enumerate(state.clients):
        if client.phase in {GRANTED, ARRIVED}:
            yield ("crash", index), crash(state, index)
    yield ("flush", 0), flush(state)
    yield ("failover", 0), fail_over(state)
    yield ("clock forward", 0), set_clock(state, FORWARD, rules)
    yield ("clock back", 0), set_clock(state, -BACK, rules)


# Looking at everything.


def canonical(state: State) -> State:
    """Return the one state that stands for all in which the same processes have other places."""
    return state._replace(
        clients=tuple(sorted(state.clients, key=_order)),
        orphans=tuple(sorted(state.orphans)),
        on_the_way=tuple(sorted(state.on_the_way)),
    )


def _order(client: Client) -> tuple[int, int, int, int]:
    held = -99 if client.held is None else client.held
    return client.phase, client.left, held, client.jumped


def explore(clients: int, rules: Rules, faults: int = 2) -> tuple[int, list[Step]]:
    """Return how many states there are, and the shortest way to a broken one, if there is one."""
    first = canonical(begin(clients)._replace(faults=faults))
    came_from: dict[State, tuple[State, Step] | None] = {first: None}
    queue = deque([first])
    while queue:
        state = queue.popleft()
        for step, after in successors(state, rules):
            reached = canonical(after)
            if reached in came_from:
                continue
            came_from[reached] = (state, step)
            if is_broken(reached):
                return len(came_from), way_to(reached, came_from)
            queue.append(reached)
    return len(came_from), []


def way_to(state: State, came_from: dict[State, tuple[State, Step] | None]) -> list[Step]:
    """Return the steps that led to a state."""
    steps = list[Step]()
    while (before := came_from[state]) is not None:
        state, step = before
        steps.append(step)
    return steps[::-1]


WORDS = {
    "tick": "a tick passes",
    "ask": "{} asks",
    "ask, answer lost": "{} asks and does not get the answer",
    "arrive": "{}'s attempt arrives",
    "release": "{} releases",
    "release lost": "{} ends its attempt, and the store does not learn of it",
    "crash": "{} is killed",
    "arrive late": "what a dead process sent arrives",
    "flush": "the store is flushed",
    "failover": "a copy takes the store's place",
    "clock forward": f"the store's clock is set {FORWARD} ticks forward",
    "clock back": f"the store's clock is set {BACK} ticks back",
}


def narrate(clients: int, rules: Rules, steps: list[Step]) -> str:
    """Return in words what happens on a way that `explore` found, whose processes change places."""
    names, state, told = list("ABCDEFGH"[:clients]), begin(clients), list[str]()
    for step in steps:
        state = next(after for each, after in successors(state, rules) if each == step)
        granted = state.clients[step[1]].phase == GRANTED
        outcome = {True: " and gets a permit", False: " and has to wait"}[granted]
        told.append(WORDS[step[0]].format(names[step[1]]) + (outcome if step[0] == "ask" else ""))
        names = [
            name
            for _, name in sorted(
                zip(state.clients, names, strict=True), key=lambda each: _order(each[0])
            )
        ]
        state = canonical(state)
    return "; ".join(told)
