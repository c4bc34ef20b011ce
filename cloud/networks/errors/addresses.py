"""What is wrong with an address, a pool or a gateway."""

from cloud.core.errors import Conflict, Invalid


class InvalidInput(Invalid):
    """Invalid input for operation: {reason}."""


class InvalidIpForNetwork(Invalid):
    """IP address {ip_address} is not a valid IP for any of the subnets on the specified network."""


class InvalidIpForSubnet(Invalid):
    """IP address {ip_address} is not a valid IP for the specified subnet."""


class IpAddressInUse(Conflict):
    """Unable to complete operation for network {network_id}. The IP address {ip_address} is in use."""


class IpAddressGenerationFailure(Conflict):
    """No more IP addresses available on network {network_id}."""


class InvalidAllocationPool(Invalid):
    """The allocation pool {pool} is not valid."""


class OutOfBoundsAllocationPool(Invalid):
    """The allocation pool {pool} spans beyond the subnet cidr {cidr}."""


class OverlappingAllocationPools(Conflict):
    """Found overlapping allocation pools: {first} {second} for subnet {cidr}."""


class GatewayConflictWithAllocationPools(Conflict):
    """Gateway ip {ip_address} conflicts with allocation pool {pool}."""


class GatewayIpInUse(Conflict):
    """Current gateway ip {ip_address} already in use by port {port_id}. Unable to update."""
