"""From a server's description to a running domain: shared by spawn, start and reboot."""

from compute_agent.drivers.base import DiskSource, DomainSpec, Interface, PowerState
from compute_agent.errors import DeadlineExceeded, DomainNotFound
from compute_agent.host import Host
from contracts.compute import ServerSpec
from contracts.envelope import Order


def power_state_of(host: Host, uuid: str) -> PowerState | None:
    """Return the domain's power state, or None when there is no such domain."""
    try:
        return host.driver.power_state(uuid)
    except DomainNotFound:
        return None


def plug(host: Host, server: ServerSpec) -> None:
    """Make the server's interfaces and what they need."""
    host.network.plug(server.uuid, server.ports, dict(server.metadata), server.user_data)


def bring_up(host: Host, server: ServerSpec, order: Order) -> PowerState:
    """Make what is missing of the server's interfaces and disks, define its domain anew and start it.

    Everything comes from `server` alone, so a start after a reboot of the host needs nothing of the past.

    Raises:
        DeadlineExceeded
    """
    make_ready(host, server)
    start_in_time(host, order)
    return host.driver.power_state(server.uuid)


def start_in_time(host: Host, order: Order) -> None:
    """Start the order's domain, unless what came before took so long that it may run elsewhere by now.

    Raises:
        DeadlineExceeded
    """
    if _is_late(host, order):
        raise DeadlineExceeded("the host was ready after the deadline, and started nothing")
    host.driver.start(order.instance_uuid)
    if _is_late(host, order):
        host.driver.power_off(order.instance_uuid)
        raise DeadlineExceeded("the hypervisor started the guest after the deadline, and had to cut its power again")


def _is_late(host: Host, order: Order) -> bool:
    return host.clock() > order.not_after


def make_ready(host: Host, server: ServerSpec) -> None:
    """Make what is missing of the server's interfaces and disks, and define its domain anew.

    Whoever wants a server here whose disks are aside, because its move came to no end, gets those disks.
    """
    plug(host, server)
    if server.uuid in host.storage.instances_aside() and server.uuid not in host.storage.instances_with_disks():
        host.storage.take_back(server.uuid)
    disks = host.storage.create_disks(server)
    host.driver.define(domain_spec(host, server, disks))


def interfaces(host: Host, server: ServerSpec) -> tuple[Interface, ...]:
    """Return the network cards of the server's domain, in the order of its ports."""
    return tuple(
        Interface(
            tap=host.network.tap_name(port.id),
            mac_address=port.mac_address,
            mtu=port.network.mtu,
            model=server.image_properties.get("hw_vif_model", "virtio"),
        )
        for port in server.ports
    )


def domain_spec(host: Host, server: ServerSpec, disks: tuple[DiskSource, ...]) -> DomainSpec:
    """Return the domain that makes the server."""
    return DomainSpec(
        uuid=server.uuid,
        name=server.name,
        vcpus=server.vcpus,
        memory_mb=server.memory_mb,
        disks=disks,
        interfaces=interfaces(host, server),
        console_log=host.storage.console_log_path(server.uuid),
        extra_specs=dict(server.extra_specs),
        image_properties=dict(server.image_properties),
    )
