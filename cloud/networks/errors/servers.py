"""What is wrong with the networks that a server asks for, in the words of Nova, whose answer carries them."""

from cloud.core.errors import Conflict, Forbidden, Invalid


class NetworkUnknown(Invalid):
    """Network {network_id} could not be found."""


class PortUnknown(Invalid):
    """Port {port_id} could not be found."""


class PortTaken(Conflict):
    """Port {port_id} is still in use."""


class PortHasNoAddress(Invalid):
    """Port {port_id} requires a FixedIP in order to be used."""


class NetworkHasNoSubnet(Invalid):
    """Network {network_id} requires a subnet in order to boot instances on."""


class NetworkAmbiguous(Conflict):
    """Multiple possible networks found, use a Network ID to be more specific."""


class NoNetworkToChoose(Invalid):
    """Unable to automatically allocate a network for project {project_id}: {reason}"""


class NoNetworkToAttach(Invalid):
    """No specific network was requested and none are available for the project."""


class ExternalNetworkForbidden(Forbidden):
    """It is not allowed to create an interface on external network {network_id}."""


class FixedIpTaken(Invalid):
    """Fixed IP address {ip_address} is already in use."""


class FixedIpUnfit(Invalid):
    """Fixed IP address {ip_address} is not a valid ip address for network {network_id}."""


class SecurityGroupUnknown(Invalid):
    """Security group {name} not found for project {project_id}."""


class SecurityGroupAmbiguous(Conflict):
    """Multiple security_group matches found for name '{name}', use an ID to be more specific."""


class PortsOverQuota(Forbidden):
    """Maximum number of ports exceeded."""
