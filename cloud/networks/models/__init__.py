"""Tables of the network domain."""

from cloud.networks.models.hosts import HostNetworkState, NetworkChange
from cloud.networks.models.networks import Network, Subnet
from cloud.networks.models.pools import AddressScope, SubnetPool
from cloud.networks.models.ports import FixedIp, Port
from cloud.networks.models.qos import BandwidthLimit, QosPolicy
from cloud.networks.models.quotas import NetworkQuota
from cloud.networks.models.routers import FloatingIp, Router
from cloud.networks.models.security import SecurityGroup, SecurityGroupRule
from cloud.networks.models.sharing import AutoTopology, RbacPolicy
from cloud.networks.models.tags import ResourceTag

__all__ = [
    "AddressScope", "AutoTopology", "BandwidthLimit", "FixedIp", "FloatingIp", "HostNetworkState", "Network",
    "NetworkChange", "NetworkQuota", "Port", "QosPolicy", "RbacPolicy", "ResourceTag", "Router", "SecurityGroup",
    "SecurityGroupRule", "Subnet", "SubnetPool",
]
