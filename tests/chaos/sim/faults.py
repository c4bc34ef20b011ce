"""What goes wrong, and at which boundaries: a table, from which the matrix is made."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import OperationalError

from cloud.compute import states
from compute_agent import tries
from compute_agent.drivers.base import PowerState
from compute_agent.errors import DriverError
from contracts.compute import COMMANDS
from tests.chaos.sim.boundaries import Boundary, Killed
from tests.chaos.sim.interruptions import INTERRUPTIONS
from tests.chaos.sim.users import Users
from tests.chaos.sim.wire import Message, copy_of, errand_of, instance_of
from tests.chaos.sim.world import RESTART_SECONDS, World

Strike = Callable[[World, Users, Boundary], None]


@dataclass(frozen=True)
class Fault:
    """A row.

    Attributes:
        points: the boundaries at which it is tried.
        strike: lets it happen. Only those raise that end or disturb the process that came to the boundary.
        is_harmless: the operation must come out as it does undisturbed; a disturbed request may come to nothing.
        is_exact: nor may a guest be switched on once more than undisturbed.
        fits: whether it makes sense at this boundary.
        only: of which workflows it is a fault; empty for all.
    """

    points: tuple[str, ...]
    strike: Strike
    is_harmless: bool = True
    is_exact: bool = False
    fits: Callable[[Boundary], bool] = lambda boundary: True
    only: tuple[str, ...] = ()


def _kill(*, redelivers: bool) -> Strike:
    def strike(world: World, users: Users, boundary: Boundary) -> None:
        world.redelivers = redelivers
        world.trouble_until(RESTART_SECONDS)
        world.kill(boundary.process, boundary.host)
        raise Killed

    return strike


def _idle_death(process: str, seconds: float) -> Strike:
    def strike(world: World, users: Users, boundary: Boundary) -> None:
        world.trouble_until(seconds)
        world.defer(lambda: world.kill(process, seconds=seconds))

    return strike


def _agents_die(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(RESTART_SECONDS)
    for host in world.hosts:
        if host.is_agent_up:
            world.defer(lambda host=host: world.kill("agent", host.name))


def _host_dies(world: World, users: Users, boundary: Boundary) -> None:
    """For longer than it takes to count as down."""
    world.trouble_until(_LONG_SECONDS)
    world.kill("agent", boundary.host, _LONG_SECONDS)
    raise Killed


def _poison(world: World, users: Users, boundary: Boundary) -> None:
    """Whichever agent comes to this in an order of this kind for this server dies of it, every time.

    Whoever asks for the same again begins another operation, which is tried as often.
    """
    uuid, deaths = instance_of(world.errands.current.message), Counter[tuple[str, ...]]()
    if len(users.living()) > 1:
        users.accepted[uuid] = _ANY_STATE  # the others come out as they do undisturbed

    def kill(now: Boundary) -> None:
        errand = world.errands.current
        here = (now.process, now.point, now.label, now.where)
        if here != (boundary.process, boundary.point, boundary.label, boundary.where):
            return
        if errand is None or errand.is_doomed or instance_of(errand.message) != uuid:
            return
        deaths[one := (now.host, *errand_of(errand.message))] += 1
        if deaths[one] > tries.MOST:
            world.violations.append(f"{now.host} died of {now.where} {deaths[one]} times")
        world.trouble_until(_POISON_SECONDS)
        world.kill("agent", now.host)
        raise Killed

    world.boundaries.watchers.append(kill)
    kill(boundary)


def _dead_return(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(0)
    for host in world.hosts:
        if not host.is_agent_up:
            world.defer(lambda host=host: world.switch_on(host))


def _flush(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(0)
    world.redis.flushall()
    world.wire.wipe()


def _restart_redis(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(RESTART_SECONDS)
    world.redis.restart()
    world.wire.wipe()
    world.redis.fail(away=True)
    world.clock.after(RESTART_SECONDS, world.redis.fail)


def _redis(seconds: float, **condition: bool) -> Strike:
    def strike(world: World, users: Users, boundary: Boundary) -> None:
        world.trouble_until(seconds)
        world.redis.fail(**condition)
        world.clock.after(seconds, world.redis.fail)

    return strike


def _database_lost(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(0)
    world.database.drop_work()
    raise OperationalError("server closed the connection unexpectedly")


def _database_away(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(20.0)
    world.database.is_away = True
    world.clock.after(20.0, world.database.come_back)
    _database_lost(world, users, boundary)


def _driver_fails(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(0)
    raise DriverError(f"libvirtd: {boundary.label}: connection reset by peer")


def _driver_hangs(seconds: float) -> Strike:
    def strike(world: World, users: Users, boundary: Boundary) -> None:
        world.trouble_until(seconds)
        world.clock.sleep(seconds)

    return strike


def _guests_die(world: World, users: Users, boundary: Boundary) -> None:
    world.trouble_until(0)
    for host in world.hosts:
        for uuid, state in host.domains().items():
            if state is PowerState.RUNNING:
                host.driver.crash(uuid)


def _deliver(change: Callable[[World, str, Message], Iterator[tuple[str, Message]]], seconds: float = 0) -> Strike:
    """Change what becomes of the message that is published next."""

    def strike(world: World, users: Users, boundary: Boundary) -> None:
        world.trouble_until(seconds)
        usual = world.wire.delivery

        def once(queue: str, message: Message) -> list[tuple[str, Message]]:
            world.wire.delivery = usual
            return list(change(world, queue, message))

        world.wire.delivery = once

    return strike


def _copies(count: int) -> Strike:
    return _deliver(lambda world, queue, message: ((queue, copy_of(message)) for _ in range(count)))


def _late(seconds: float) -> Strike:
    def change(world: World, queue: str, message: Message) -> Iterator[tuple[str, Message]]:
        world.clock.after(seconds, lambda: world.wire.enqueue(queue, message))
        yield from ()

    return _deliver(change, seconds)


def _astray(world: World, queue: str, message: Message) -> Iterator[tuple[str, Message]]:
    """A copy goes to every other host, and the right one gets it too. The gate refuses what the others say to it."""
    world.has_strays = True
    here = world.host_of(queue)
    for host in world.hosts:
        yield (queue.replace(here.name, host.name) if here else queue), copy_of(message)


def _repeat_late(world: World, queue: str, message: Message) -> Iterator[tuple[str, Message]]:
    for seconds in (5.0, 40.0, 130.0):
        world.clock.after(seconds, lambda: world.wire.enqueue(queue, copy_of(message)))
    yield queue, message


def _older_ones_after(world: World, queue: str, message: Message) -> Iterator[tuple[str, Message]]:
    """Whatever its hosts were told of this server before comes once more, after what they are told now."""
    older = [one for one in world.wire.orders if instance_of(one[1]) == instance_of(message)]
    yield queue, message
    for where, one in older[:-1]:
        yield where, copy_of(one)


def _is_order(boundary: Boundary) -> bool:
    return boundary.label in _ORDERS


_ORDERS = {name.rsplit(".", 1)[-1] for name in COMMANDS}
_LONG_SECONDS = 300.0
# Until the order of somebody who died is sent again, and its sender is started.
_POISON_SECONDS = 60.0
_ANY_STATE = frozenset({*states.LIVE, states.DELETED})
_TAKE, _ACK = ("take",), ("ack",)
_COMMITS, _PUBLISHES = ("commit.before", "commit.after"), ("publish.before", "publish.after")
_EFFECTS, _RECORDS = ("effect.before", "effect.after"), ("record.before", "record.after")

FAULTS: dict[str, Fault] = {
    "killed": Fault((*_TAKE, *_COMMITS, *_PUBLISHES, *_EFFECTS, *_RECORDS), _kill(redelivers=False)),
    "killed-and-redelivered": Fault(
        (*_COMMITS, *_PUBLISHES, *_EFFECTS, *_RECORDS, *_ACK), _kill(redelivers=True),
        fits=lambda one: one.process in ("conductor", "scheduler", "agent"),
    ),
    "conductor-dies": Fault(_TAKE, _idle_death("conductor", 5.0), fits=lambda one: one.process != "conductor"),
    "scheduler-dies": Fault(_TAKE, _idle_death("scheduler", 5.0), fits=lambda one: one.process != "scheduler"),
    "beat-dies": Fault(_TAKE, _idle_death("beat", 20.0)),
    "agents-die": Fault(_TAKE, _agents_die),
    "host-dies": Fault(_EFFECTS, _host_dies, is_harmless=False, only=("evacuate", "soft_delete", "restore", "delete")),
    "poison": Fault(("effect.before",), _poison, is_harmless=False),
    "dead-return": Fault((*_TAKE, *_COMMITS, *_EFFECTS), _dead_return, is_harmless=False, only=("evacuate",)),
    "redis-flushed": Fault((*_TAKE, "publish.after"), _flush),
    "redis-restarted": Fault((*_TAKE, "publish.before"), _restart_redis),
    "redis-full": Fault(("publish.before",), _redis(20.0, full=True)),
    "redis-away": Fault(("publish.before",), _redis(60.0, away=True)),
    "redis-away-long": Fault(("publish.before",), _redis(_LONG_SECONDS, away=True)),
    "database-lost": Fault(_COMMITS, _database_lost),
    "database-away": Fault(("commit.before",), _database_away),
    "driver-fails": Fault(_EFFECTS, _driver_fails, is_harmless=False),
    "driver-hangs": Fault(_EFFECTS, _driver_hangs(40.0), is_harmless=False),
    "driver-hangs-long": Fault(_EFFECTS, _driver_hangs(240.0), is_harmless=False),
    "guests-die": Fault(_TAKE, _guests_die, is_harmless=False),
    **{
        name: Fault(one.points, one.strike, is_harmless=False, only=one.only) for name, one in INTERRUPTIONS.items()
    },
    "lost": Fault(("publish.before",), _deliver(lambda world, queue, message: iter(()), 120.0)),
    "twice": Fault(("publish.before",), _copies(2), is_exact=True),
    "five-times": Fault(("publish.before",), _copies(5), is_exact=True),
    "late": Fault(("publish.before",), _late(3.0), is_exact=True),
    "very-late": Fault(("publish.before",), _late(150.0)),
    "again-later": Fault(("publish.before",), _deliver(_repeat_late), is_exact=True),
    "old-after-new": Fault(("publish.before",), _deliver(_older_ones_after), is_exact=True, fits=_is_order),
    "on-wrong-hosts": Fault(("publish.before",), _deliver(_astray), is_exact=True, fits=_is_order),
}  # fmt: skip


def fitting(boundary: Boundary, workflow: str, *, is_spoilt: bool = False) -> Iterator[str]:
    """Yield the names of the faults that are tried at a boundary; where something fails anyway, what users ask for."""
    for name, fault in FAULTS.items():
        is_due = (not fault.only or workflow in fault.only) and (not is_spoilt or name in INTERRUPTIONS)
        if is_due and boundary.point in fault.points and fault.fits(boundary):
            yield name
