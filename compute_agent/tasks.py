"""The agent's tasks: check an order's signature, let it pass the fences, call one operation, sign the outcome.

A failure is returned as an outcome, never raised: the chain's next link must hear of it with its reason.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from celery import Celery

from compute_agent.errors import AgentError, OrderRefused
from compute_agent.fences import FenceStore, admit, check_address, counted_beside, let_go, remember
from compute_agent.host import Host
from compute_agent.locks import InstanceLocks
from compute_agent.operations.console import get_console_output
from compute_agent.operations.destroy import destroy, vacate
from compute_agent.operations.inspection import inspect_server
from compute_agent.operations.plug_vifs import plug_vifs
from compute_agent.operations.power import reboot, start, stop
from compute_agent.operations.prepare_image import prepare_image
from compute_agent.operations.rebuild import rebuild
from compute_agent.operations.set_aside import drop_aside, set_aside, take_back
from compute_agent.operations.set_interfaces import set_interfaces
from compute_agent.operations.snapshot import snapshot
from compute_agent.operations.spawn import spawn
from compute_agent.operations.sync_networks import sync_networks
from compute_agent.operations.transfer import land, receive_disks, send_disks
from compute_agent.tries import Beginning, is_suspect
from compute_agent.workload import Workload
from contracts.compute import (
    COMMANDS,
    DestroyServer,
    DropAside,
    GetConsoleOutput,
    LandServer,
    PlugVifs,
    PrepareImage,
    RebootServer,
    RebuildServer,
    ReceiveDisks,
    SendDisks,
    SetAsideServer,
    SetInterfaces,
    SnapshotServer,
    SpawnServer,
    StartServer,
    StopServer,
    TakeBackServer,
    VacateServer,
)
from contracts.envelope import Order, Outcome
from contracts.errors import ErrorCode
from contracts.inspection import InspectServer
from contracts.networks import SyncNetworks
from contracts.signing import ORDER, WORD, is_signed, sign

log = logging.getLogger(__name__)

_DETAIL_CHARACTERS = 2_000
_SUSPECTS = "suspects"  # no uuid, so that it is no instance's lock


@dataclass(frozen=True)
class Duty:
    """How a command is carried out; `is_exclusive` ones hold the instance's lock and pass its fence.

    `is_repeated`: it is sent again when nothing is heard of it, so that its tries are counted. `is_of_instance`: it
    touches one; else it is about the host itself.
    """

    operation: Callable[[Host, Any], Outcome]
    is_exclusive: bool = True
    is_repeated: bool = True
    is_of_instance: bool = True


DUTIES: Mapping[str, Duty] = {
    PrepareImage.NAME: Duty(prepare_image, is_exclusive=False),
    PlugVifs.NAME: Duty(plug_vifs),
    SpawnServer.NAME: Duty(spawn),
    DestroyServer.NAME: Duty(destroy),
    StopServer.NAME: Duty(stop),
    StartServer.NAME: Duty(start),
    RebootServer.NAME: Duty(reboot),
    RebuildServer.NAME: Duty(rebuild),
    GetConsoleOutput.NAME: Duty(get_console_output, is_exclusive=False, is_repeated=False),
    InspectServer.NAME: Duty(inspect_server, is_exclusive=False, is_repeated=False),
    SyncNetworks.NAME: Duty(sync_networks, is_exclusive=False, is_of_instance=False),
    SetAsideServer.NAME: Duty(set_aside),
    SendDisks.NAME: Duty(send_disks, is_exclusive=False),
    ReceiveDisks.NAME: Duty(receive_disks, is_exclusive=False),
    LandServer.NAME: Duty(land),
    VacateServer.NAME: Duty(vacate),
    TakeBackServer.NAME: Duty(take_back),
    DropAside.NAME: Duty(drop_aside),
    SetInterfaces.NAME: Duty(set_interfaces),
    SnapshotServer.NAME: Duty(snapshot, is_exclusive=False),
}


@dataclass(frozen=True)
class Station:
    """A host with the locks and fences of its instances; `process` is nobody's name but this process'."""

    host: Host
    locks: InstanceLocks
    fences: FenceStore
    process: str = field(default_factory=lambda: uuid.uuid4().hex)


def no_key() -> bytes:
    """Return what an agent signs with that has no credential."""
    return b""


@dataclass(frozen=True)
class Agent:
    """The hosts that this process speaks for, by name.

    `key` tells what the control plane signs its orders with and this process its words, which may be renewed. Without
    one, which is for a control plane of the first release alone, neither is signed.
    """

    stations: Mapping[str, Station]
    key: Callable[[], bytes] = no_key
    workload: Workload = field(default_factory=Workload)

    def signed(self, name: str, wire: dict[str, Any]) -> dict[str, Any]:
        """Return what is said to the control plane, with this process' signature."""
        key = self.key()
        return sign(key, WORD, name, wire) if key else wire


def register(app: Celery, agent: Agent) -> None:
    """Register a task for each command of the contract, and no other."""
    for name in COMMANDS:
        # A server more has a thousand hosts told; nobody who looks at tasks wants to see that.
        app.task(_task(agent, name), name=name, shared=False, send_events=name != SyncNetworks.NAME)


def carry_out(agent: Agent, name: str, wire: dict[str, Any]) -> dict[str, Any]:
    """Carry out one order and return its outcome, ready for the wire."""
    started = time.monotonic()
    try:
        order = _checked(agent, name, wire)
    except (msgspec.ValidationError, OrderRefused) as exc:
        # Not signed, so that nobody takes it for this host's word on an operation: who sent this is unknown.
        log.warning("%s refused: %s", name, exc)
        return Outcome(error_code=ErrorCode.ORDER_REFUSED, detail=f"no order: {exc}"[:_DETAIL_CHARACTERS]).to_wire()
    with agent.workload.one_more(COMMANDS[name].timing.deadline_seconds):
        answer = _answer(agent, order)
    _log(order, answer, time.monotonic() - started)
    return agent.signed(name, answer)


def genuine(agent: Agent, name: str, wire: dict[str, Any]) -> Order | None:
    """Return an order of the control plane; None for what only looks like one."""
    try:
        return _checked(agent, name, wire)
    except (msgspec.ValidationError, OrderRefused):
        return None


def _checked(agent: Agent, name: str, wire: dict[str, Any]) -> Order:
    key = agent.key()
    if key and not (isinstance(wire, dict) and is_signed(key, ORDER, name, wire)):
        raise OrderRefused("it is not signed by the control plane with this host's key")
    return COMMANDS[name].order.from_wire(wire)


def _task(agent: Agent, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def run(order: dict[str, Any]) -> dict[str, Any]:
        return carry_out(agent, name, order)

    run.__name__ = name.rsplit(".", 1)[-1]
    return run


def _answer(agent: Agent, order: Order) -> dict[str, Any]:
    try:
        return _perform(_station(agent, order), order)
    except AgentError as exc:
        return _failure(order, exc.code, str(exc))
    except Exception as exc:
        log.exception("request=%s operation=%s: %s broke", order.request_id, order.operation_id, order.NAME)
        return _failure(order, ErrorCode.INTERNAL, f"{type(exc).__name__}: {exc}")


def _station(agent: Agent, order: Order) -> Station:
    station = agent.stations.get(order.host)
    if station is None:
        raise OrderRefused(f"the order is for host {order.host!r}, which this agent does not speak for")
    return station


def _perform(station: Station, order: Order) -> dict[str, Any]:
    host, duty = station.host, DUTIES[order.NAME]
    check_address(order, host.name, host.clock(), is_of_instance=duty.is_of_instance)
    if not duty.is_exclusive:
        return _perform_beside(station, order)
    fences = station.fences
    wait_seconds = order.not_after - host.clock()
    with station.locks.hold(order.instance_uuid, wait_seconds), _alone(station, order, order.instance_uuid):
        check_address(order, host.name, host.clock())
        host.silence.check_boot(order)
        answer = admit(order, fences, Beginning(station.process, host.clock()))
        if answer is None:
            answer = _success(order, _run(station, order))
            remember(order, answer, fences)
        return answer


def _run(station: Station, order: Order) -> Outcome:
    try:
        return DUTIES[order.NAME].operation(station.host, order)
    except Exception:
        let_go(order, station.fences)
        raise


def _perform_beside(station: Station, order: Order) -> dict[str, Any]:
    """Carry out what may run beside everything else that is done to its instance."""
    host, duty = station.host, DUTIES[order.NAME]
    if not duty.is_repeated:
        return _success(order, duty.operation(host, order))
    with _alone(station, order, order.operation_id):
        check_address(order, host.name, host.clock(), is_of_instance=duty.is_of_instance)
        if duty.is_of_instance:
            host.silence.check_boot(order)
        with counted_beside(order, station.fences, Beginning(station.process, host.clock())):
            return _success(order, duty.operation(host, order))


@contextmanager
def _alone(station: Station, order: Order, record: str) -> Iterator[None]:
    """Let no other suspect run at the same time, if the order is one."""
    if not is_suspect(order, station.fences.load(record).tries, station.host.clock()):
        yield
        return
    log.warning("operation=%s: %s killed this agent before; carrying it out alone", order.operation_id, order.NAME)
    with station.locks.hold(_SUSPECTS, order.not_after - station.host.clock()):
        yield


def _success(order: Order, outcome: Outcome) -> dict[str, Any]:
    return msgspec.structs.replace(outcome, **_origin(order)).to_wire()


def _failure(order: Order, code: ErrorCode, detail: str) -> dict[str, Any]:
    return order.OUTCOME(error_code=code, detail=detail[:_DETAIL_CHARACTERS], **_origin(order)).to_wire()


def _origin(order: Order) -> dict[str, Any]:
    return {
        "host": order.host, "attempt": order.attempt, "operation_id": order.operation_id, "step": order.step,
        "order": order.NAME,
    }  # fmt: skip


def _log(order: Order, answer: dict[str, Any], seconds: float) -> None:
    failure = answer["error_code"]
    log.log(
        logging.WARNING if failure else logging.INFO,
        "request=%s operation=%s step=%s instance=%s host=%s attempt=%d %s took %.3f s: %s",
        order.request_id or "-",
        order.operation_id,
        order.step,
        order.instance_uuid,
        order.host,
        order.attempt,
        order.NAME,
        seconds,
        f"{failure}: {answer['detail']}" if failure else "done",
    )
