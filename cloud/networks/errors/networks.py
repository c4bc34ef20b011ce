"""What is wrong with a network, a subnet or a port."""

from cloud.core.errors import Conflict, Invalid, NotFound


class BadRequest(Invalid):
    """The request is not valid."""

    code = "HTTPBadRequest"


class NetworkNotFound(NotFound):
    """Network {network_id} could not be found."""


class SubnetNotFound(NotFound):
    """Subnet {subnet_id} could not be found."""


class PortNotFound(NotFound):
    """Port {port_id} could not be found."""


class TagNotFound(NotFound):
    """Tag {tag} could not be found."""


class NetworkInUse(Conflict):
    """Unable to complete operation on network {network_id}. There are one or more ports still in use on the network: {ports}."""  # noqa: E501 - one sentence


class SubnetInUse(Conflict):
    """Unable to complete operation on subnet {subnet_id}: One or more ports have an IP allocation from this subnet."""


class PortInUse(Conflict):
    """Unable to complete operation on port {port_id}: it already has an attached device, {device_id}."""


class ServicePortInUse(Conflict):
    """Port {port_id} cannot be deleted directly via the port API: it has device owner {device_owner}."""


class MacAddressInUse(Conflict):
    """Unable to complete operation for network {network_id}. The mac address {mac} is in use."""


class InvalidSharedSetting(Conflict):
    """Unable to reconfigure sharing settings for network {network_id}. Multiple projects are using it."""


class PortBound(Conflict):
    """Unable to complete operation on port {port_id}, it is bound to a host; its mac address cannot change."""


class PortSecurityPortHasSecurityGroup(Conflict):
    """Port {port_id} has security groups or address pairs. Cannot disable port security until they are removed."""


class DuplicateAddressPairInRequest(Invalid):
    """Request contains duplicate address pair: mac_address {mac} ip_address {ip_address}."""
