"""Refusals about the addresses and security groups of servers."""

from cloud.core.errors import Conflict, Invalid, NotFound


class FloatingIpUnknown(NotFound):
    """Floating IP not found for address {address}."""


class FloatingIpPoolUnknown(NotFound):
    """Floating IP pool not found."""


class NoFloatingIpLeft(NotFound):
    """No more floating IPs in pool {pool}."""


class FloatingIpElsewhere(Conflict):
    """Floating IP {address} is not associated with instance {uuid}."""


class NoInterface(Invalid):
    """Instance {uuid} has no interface with an address to which this could be applied."""


class NetworkElsewhere(NotFound):
    """Network could not be found for instance {uuid}."""


class NoFixedIpLeft(Invalid):
    """No fixed IP addresses available for network: {network_id}."""


class FixedIpElsewhere(Invalid):
    """Fixed IP {address} not found for instance {uuid}."""


class GroupUnknown(NotFound):
    """Security group not found."""


class GroupElsewhere(NotFound):
    """Security group {group} not associated with the instance {uuid}."""


class PortElsewhere(NotFound):
    """Port {port_id} is not attached to instance {uuid}."""


class InterfaceRefused(Invalid):
    """The interface cannot be attached."""
