"""What hosts must hear of: written in the transaction that changes it, told to the hosts concerned soon after.

Many changes become one message for each host: a burst of servers costs their group's hosts little.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import Q, QuerySet

from cloud.core import rpc
from cloud.core.insert import insert
from cloud.core.kept import Kept
from cloud.networks.models import FloatingIp, HostNetworkState, NetworkChange, Port, Router, SecurityGroupRule
from cloud.networks.models.network_types import VXLAN
from cloud.networks.selectors.underlay import tunnel_addresses
from cloud.networks.services import host_versions

_places: Kept[tuple[str, str | None, str]] = Kept(
    lambda ids: Port.objects.filter(id__in=ids).values_list("host", "security_groups", "network_id")
)
TELL = "tell_networks"
# What a single server's coming or going has many hosts hear of.
MEMBERS, FORMER, NEIGHBOURS, TUNNEL = "members", "former", "neighbours", "tunnel"
_AT_ONCE = 2_000
Change = tuple[str, str]


def of_host(host: str) -> Change:
    """A port is on the host, or is not any more, or is not as it was."""
    return "host", host


def of_group(group_id: str) -> Change:
    """The rules of a group are other ones."""
    return "group", group_id


def of_network(network_id: str) -> Change:
    """A network carries nothing any more, or does again."""
    return "network", network_id


def of_router(router_id: str) -> Change:
    """A router shall do something else than before."""
    return "router", router_id


def of_policy(policy_id: str) -> Change:
    """The limits of a QoS policy are other ones."""
    return "policy", policy_id


def of_members(group_id: str) -> Change:
    """A group has another member, or one less, or one with another address."""
    return MEMBERS, group_id


def of_former(group_id: str) -> Change:
    """A group has one member less: whoever is given its address next must not be taken for it."""
    return FORMER, group_id


def of_neighbours(network_id: str) -> Change:
    """A network has a port on another host, or one less, or one with another address."""
    return NEIGHBOURS, network_id


def of_tunnel(host: str) -> Change:
    """A host is reached at another address by the VXLAN networks that are on it, or at none."""
    return TUNNEL, host


def of_ports(port_ids: Collection[str], *, are_leaving: bool = False) -> set[Change]:
    """All that ports can change by being other than they were, or by being no more.

    Documents of their hosts, members of their groups, neighbours of the others in their networks.
    """
    of_group_of = of_former if are_leaving else of_members
    found: set[Change] = set()
    for host, group_id, network_id in _places(ids=list(port_ids)):
        found |= {of_host(host), of_group_of(group_id or ""), of_neighbours(network_id if host else "")}
    return {(kind, key) for kind, key in found if key}


def of_floating_ips(rows: QuerySet[FloatingIp]) -> set[Change]:
    """Where floating addresses lead now: routers translate them, and guests are told of them."""
    led = rows.filter(fixed_ip__isnull=False).values_list("router_id", "fixed_ip__port__host")
    found = {change for router_id, host in led for change in (of_router(router_id or ""), of_host(host))}
    return {(kind, key) for kind, key in found if key}


def note(found: Iterable[Change], *, is_urgent: bool = True) -> None:
    """Note changes, in the transaction that makes them.

    `is_urgent`: the hosts are told when it commits, not within a second or two, and none of them in its turn: a person
    who takes a port out of a group shuts something.
    """
    if is_urgent:
        found = {(FORMER if kind == MEMBERS else kind, key) for kind, key in found}
    rows = [NetworkChange(kind=kind, key=key) for kind, key in sorted(set(found)) if key]
    insert(rows)
    if rows and is_urgent:
        rpc.launch(TELL, [])


def _with_groups(group_ids: Collection[str]) -> set[str]:
    rows = Port.objects.filter(security_groups__in=group_ids).exclude(host="")
    return set(rows.values_list("host", flat=True).distinct())


def _with_rules_about(group_ids: Collection[str]) -> set[str]:
    about = SecurityGroupRule.objects.filter(remote_group__in=group_ids)
    return _with_groups(set(about.values_list("group_id", flat=True)))


def _on_networks(network_ids: Collection[str]) -> set[str]:
    rows = Port.objects.filter(network__in=network_ids).exclude(host="")
    return set(rows.values_list("host", flat=True).distinct())


def _of_routers(router_ids: Collection[str]) -> set[str]:
    return set(Router.objects.filter(id__in=router_ids).exclude(host="").values_list("host", flat=True))


def _with_policies(policy_ids: Collection[str]) -> set[str]:
    by_network = Q(qos_policy=None, network__qos_policy__in=policy_ids)
    rows = Port.objects.filter(Q(qos_policy__in=policy_ids) | by_network).exclude(host="")
    return set(rows.values_list("host", flat=True).distinct())


def _with_neighbours(network_ids: Collection[str]) -> set[str]:
    """Return the hosts of VXLAN networks that have neighbours at all: those without a tunnel reach nobody."""
    rows = Port.objects.filter(network__in=network_ids, network__network_type=VXLAN).exclude(host="")
    hosts = set(rows.values_list("host", flat=True).distinct())
    return set(tunnel_addresses(hosts)) if hosts else hosts


def _beside(hosts: Collection[str]) -> set[str]:
    """Return those who must hear of hosts' tunnels: everybody on their networks, and they themselves."""
    here = Port.objects.filter(host__in=hosts, network__network_type=VXLAN)
    found = set(here.values_list("network_id", "host").distinct())
    return _with_neighbours({network_id for network_id, _ in found}) | {host for _, host in found}


HOSTS_OF: Mapping[str, Callable[[Collection[str]], set[str]]] = {
    "host": set,
    "network": _on_networks,
    "group": _with_groups,
    "router": _of_routers,
    "policy": _with_policies,
    MEMBERS: _with_rules_about,
    FORMER: _with_rules_about,
    NEIGHBOURS: _with_neighbours,
    TUNNEL: _beside,
}


def take(*, without: Collection[str] = (), later: Collection[str] = ()) -> dict[str, int]:
    """Turn what was noted into versions that hosts shall have; return these by host. Each change is taken once.

    `without`: kinds that wait. `later`: kinds whose hosts are not returned, but told in their turn; see
    `host_versions`.
    """
    with transaction.atomic():
        noted = NetworkChange.objects.exclude(kind__in=without).order_by("id")
        rows = list(noted.select_for_update(skip_locked=True)[:_AT_ONCE])
        if not rows:
            return {}
        keys = {kind: {row.key for row in rows if row.kind == kind} for kind in HOSTS_OF}
        hosts = {kind: HOSTS_OF[kind](found) for kind, found in keys.items() if found}
        now = {host for kind, found in hosts.items() if kind not in later for host in found}
        NetworkChange.objects.filter(id__in=[row.id for row in rows]).delete()
        return host_versions.want(now, {host for found in hosts.values() for host in found} - now)


def applied(host: str, version: int, error: str) -> None:
    """Note a host's word on how far it is."""
    rows = HostNetworkState.objects.filter(host=host)
    if error and not rows.filter(wanted__lt=version).exists():
        rows.update(error=error)
    else:
        applied_by({host: version})


def applied_by(versions: Mapping[str, int]) -> None:
    """Note the words of hosts that they are as far as these versions."""
    # What this database, restored from a backup, knows nothing of, a host may have heard.
    note((of_host(host) for host in host_versions.applied(versions)), is_urgent=False)
