"""One port, from the books to the kernel of its host, in the order in which a packet meets what can stop it."""

import ipaddress
from collections.abc import Iterator

from cloud.compute.models import ComputeNode, Instance, Operation
from cloud.compute.models.operations import OperationState
from cloud.conductor.doctor import guest, wires
from cloud.conductor.doctor.asking import ask
from cloud.conductor.doctor.checks import Check, Verdict, judged, mend, while_busy
from cloud.networks.models import HostNetworkState, Port, SecurityGroup
from cloud.networks.services import allocation
from cloud.networks.services.host_documents import document
from contracts.compute import COMMANDS
from contracts.networks import GuardSpec, HostNetworks, SyncNetworks

_DIRECTIONS = {"egress": "packets out", "ingress": "packets in"}


def examine(port: Port) -> list[Check]:
    """Return a line for each place that a packet passes, and two that say how far one comes."""
    instance = _server_of(port)
    checks = [*_books(port, instance)]
    if port.host and not port.is_leaving:
        whole = document(port.host)
        checks += [*_document(port, whole), *_groups(port)]
        if instance is not None and instance.host == port.host:
            checks += _on_host(port, instance)
        checks = while_busy(_is_busy(instance), checks)
        if port.router_id is None:
            checks += _ends(port, whole, checks)
    return checks


def _server_of(port: Port) -> Instance | None:
    if port.position == Port.NO_POSITION:
        return None
    return Instance.objects.filter(uuid=port.device_id, deleted=False).first()


def _is_busy(instance: Instance | None) -> bool:
    running = Operation.objects.filter(state=OperationState.RUNNING)
    return instance is not None and running.filter(instance_uuid=instance.uuid).exists()


def _books(port: Port, instance: Instance | None) -> Iterator[Check]:
    """Whose it is, where that one is, and whether its addresses are its subnets'."""
    home, name = _home(port, instance)
    yield Check("used by", name, name)
    if port.is_leaving:
        text = f"deleted, and still on {port.host or 'no host'}"
        yield Check("state", "deleted when its host has let go of it", text, Verdict.BUSY)
        return
    command = mend(instance.uuid, "ports") if instance else ""
    if port.router is not None and not home:
        yield Check("host", "one that carries the router", "none", Verdict.WRONG, "manage.py cloud_status")
    else:
        yield judged("host", home or "none", port.host or "none", command)
    switches = {"port": port.admin_state_up, "network": port.network.admin_state_up}
    yield Check("switched on", "as its owners want it", ", ".join(f"{one} {_on(it)}" for one, it in switches.items()))
    outside = [fixed.ip_address for fixed in port.fixed_ips.select_related("subnet")
               if ipaddress.ip_address(fixed.ip_address) not in ipaddress.ip_network(fixed.subnet.cidr)]
    held = ", ".join(port.fixed_ips.order_by("id").values_list("ip_address", flat=True)) or "none"
    yield judged("addresses", held, f"{', '.join(outside)} outside of its subnet" if outside else held, "")


def _home(port: Port, instance: Instance | None) -> tuple[str, str]:
    """Return the host that a port should be on, and who uses it."""
    if instance is not None:
        return instance.host, f"server {instance.display_name} {instance.uuid}"
    if port.router is not None:
        return str(port.router.host), f"router {port.router}, {port.device_owner}"
    # Whoever says by himself that he uses a port may name a host as well.
    return port.host, f"{port.device_owner} {port.device_id}".strip() or "nobody"


def _on(is_on: bool) -> str:  # noqa: FBT001  read beside what it says
    return "on" if is_on else "off"


def _document(port: Port, whole: HostNetworks) -> Iterator[Check]:
    """Whether its host has the newest word on what may pass."""
    node = ComputeNode.objects.filter(host=port.host).first()
    needed = COMMANDS[SyncNetworks.NAME].since
    if node is None or node.release < needed:
        text = "there is no such host" if node is None else f"its agent is of release {node.release}"
        yield Check("document", f"version {whole.version}", text, Verdict.UNKNOWN)
        return
    state = HostNetworkState.objects.filter(host=port.host).first() or HostNetworkState(host=port.host)
    is_told = state.applied >= state.wanted
    why = "" if is_told else f": {state.error or 'it has not said that it has the newest'}"
    found = f"version {state.applied}{why}"
    verdict = Verdict.OK if is_told else Verdict.WRONG
    yield Check("document", f"version {state.wanted} or later", found, verdict,
                "" if is_told else f"manage.py host_networks {port.host}")


def _groups(port: Port) -> Iterator[Check]:
    if not port.port_security_enabled:
        yield Check("groups", "none without port security", "none: anything may pass")
        return
    names = [f"{one.name} ({one.rules.count()} rules)" for one in SecurityGroup.objects.filter(ports=port)]
    text = ", ".join(sorted(names)) or "none: nothing but DHCP, ARP and metadata passes"
    yield Check("groups", text, text)


def _on_host(port: Port, instance: Instance) -> list[Check]:
    """Ask the host how tap, rules, lease and metadata of this port are now."""
    spec = [one for one in allocation.port_specs(instance.uuid) if one.id == port.id]
    word = ask(instance, instance.host, spec)
    if word.seen is None:
        return [Check("answer", "of the host", f"{word.host}: {word.silence}", Verdict.WRONG,
                      f"start the agent of {word.host}, then look again")]
    domain = word.seen.domain
    runs = domain is not None and domain.power_state == guest.RUNNING
    seen = [one for one in word.seen.ports if one.id == port.id]
    power = "none" if domain is None else guest.word(domain.power_state)
    return [*wires.ports(instance, spec, seen, runs=runs), Check("guest", power, power)]


def _ends(port: Port, whole: HostNetworks, checks: list[Check]) -> list[Check]:
    """Say of both directions how far a packet comes."""
    stop = next((f"stop at {one.part}: {one.found}" for one in checks if one.verdict == Verdict.WRONG), "")
    guard = whole.guards.get(port.id)
    ends = []
    for direction, part in _DIRECTIONS.items():
        found = stop or _passing(whole, guard, direction)
        ends.append(Check(part, found, found))
    return ends


def _passing(whole: HostNetworks, guard: GuardSpec | None, direction: str) -> str:
    if guard is None or not guard.is_up:
        return "stop: it is switched off" if guard else "stop: its host knows nothing of it"
    if not guard.is_secured:
        return "all pass: it has no port security"
    rules = [rule for id in guard.group_ids if id in whole.groups for rule in whole.groups[id].rules]
    count = sum(rule.direction == direction for rule in rules)
    return f"pass by {count} rule{'' if count == 1 else 's'}" if count else "stop: no rule lets any pass"
