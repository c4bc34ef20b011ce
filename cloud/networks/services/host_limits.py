"""What ports of a host may take of its wires: by their own QoS policy, or else by that of their network."""

from collections import defaultdict
from collections.abc import Collection

from cloud.networks.models import BandwidthLimit, Port
from cloud.networks.models.device_owners import SERVICE
from contracts.networks import LimitSpec


def limits_of(ports: Collection[Port]) -> dict[str, LimitSpec]:
    """Return the limits of the ports that have any, in one query, or none where no port has a policy.

    `ports`: with their networks. A network's policy is meant for guests: the network service's own ports have none.
    """
    policies = {port.id: policy for port in ports if (policy := _policy_of(port))}
    limits = _limits(set(policies.values())) if policies else {}
    return {port_id: limits[policy] for port_id, policy in policies.items() if policy in limits}


def _policy_of(port: Port) -> str | None:
    if port.qos_policy_id or port.device_owner.startswith(SERVICE):
        return port.qos_policy_id
    return port.network.qos_policy_id


def _limits(policies: Collection[str]) -> dict[str, LimitSpec]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for limit in BandwidthLimit.objects.filter(policy__in=policies).order_by("policy_id", "direction"):
        found[limit.policy_id][f"{limit.direction}_kbps"] = limit.max_kbps
        found[limit.policy_id][f"{limit.direction}_burst_kb"] = limit.max_burst_kbps
    return {policy: LimitSpec(**values) for policy, values in found.items()}
