"""Look at all that the host has of an instance. Nothing is changed, so no lock is taken and no fence passed."""

from pathlib import Path

from compute_agent.errors import DomainNotFound
from compute_agent.host import Host
from contracts.inspection import DomainSeen, InspectServer, ServerInspected


def inspect_server(host: Host, order: InspectServer) -> ServerInspected:
    """Return what there is of the instance: domain, disks, what is aside, and its ports."""
    uuid = order.instance_uuid
    return ServerInspected(
        domain=_domain(host, uuid),
        disks=host.storage.inspect_disks(uuid),
        is_aside=uuid in host.storage.instances_aside(),
        ports=host.network.inspect_ports(uuid, order.ports),
    )


def _domain(host: Host, uuid: str) -> DomainSeen | None:
    try:
        facts = host.driver.inspect(uuid)
    except DomainNotFound:
        return None
    return DomainSeen(
        name=facts.name,
        power_state=facts.state,
        vcpus=facts.vcpus,
        memory_mb=facts.memory_mb,
        disks=[Path(path).name for path in facts.disks],
        taps=list(facts.taps),
    )
