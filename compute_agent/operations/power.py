"""Stop, start and reboot."""

import logging

from compute_agent.drivers.base import PowerState
from compute_agent.errors import DomainNotFound, DriverError
from compute_agent.host import Host
from compute_agent.operations.bring_up import bring_up, power_state_of
from contracts.compute import PowerChanged, RebootServer, StartServer, StopServer
from contracts.envelope import Order

log = logging.getLogger(__name__)

_OFF = frozenset({PowerState.SHUTDOWN, PowerState.CRASHED})
_POLL_SECONDS = 0.2
# Kept back from `not_after`, to cut the power and answer while the answer is still wanted.
_RESERVE_SECONDS = 5.0


def stop(host: Host, order: StopServer) -> PowerChanged:
    """Have the instance off: by the guest itself if it obeys the power button in time, else by cutting the power.

    Raises:
        DomainNotFound: there is no such instance.
    """
    if host.driver.power_state(order.instance_uuid) not in _OFF:
        shut_down(host, order, order.graceful_seconds)
        host.driver.power_off(order.instance_uuid)
    return PowerChanged(power_state=host.driver.power_state(order.instance_uuid))


def start(host: Host, order: StartServer) -> PowerChanged:
    """Have the instance running, from a definition made anew; a running one is left alone."""
    state = power_state_of(host, order.server.uuid)
    if state is not PowerState.RUNNING:
        state = bring_up(host, order.server, order)
    return PowerChanged(power_state=state)


def reboot(host: Host, order: RebootServer) -> PowerChanged:
    """Have the instance started anew. A soft reboot of a guest that does not obey in time becomes a hard one."""
    uuid = order.server.uuid
    state = power_state_of(host, uuid)
    if state is PowerState.RUNNING and not order.hard:
        shut_down(host, order, order.graceful_seconds)
    if state is not None:
        host.driver.power_off(uuid)
    return PowerChanged(power_state=bring_up(host, order.server, order))


def shut_down(host: Host, order: Order, graceful_seconds: float) -> None:
    """Press the power button and wait for the guest, pressing once more half-way: a booting guest misses the first."""
    uuid = order.instance_uuid
    begun = host.clock()
    patience = max(min(graceful_seconds, order.not_after - _RESERVE_SECONDS - begun), 0)
    for give_up_at in (begun + patience / 2, begun + patience):
        if host.clock() >= give_up_at:
            continue
        try:
            host.driver.request_shutdown(uuid)
        except DomainNotFound:
            raise
        except DriverError as exc:
            log.warning("instance=%s the power button does nothing, the power is cut: %s", uuid, exc)
            return
        if _is_off_by(host, uuid, give_up_at):
            return


def _is_off_by(host: Host, uuid: str, give_up_at: float) -> bool:
    while True:
        try:
            if host.driver.power_state(uuid) in _OFF:
                return True
        except DomainNotFound:
            return True
        if host.clock() >= give_up_at:
            return False
        host.sleep(_POLL_SECONDS)
