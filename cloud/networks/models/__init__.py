"""Tables of the network domain."""

from cloud.networks.models.networks import Network, Subnet
from cloud.networks.models.ports import FixedIp, Port
from cloud.networks.models.security import SecurityGroup, SecurityGroupRule

__all__ = ["FixedIp", "Network", "Port", "SecurityGroup", "SecurityGroupRule", "Subnet"]
