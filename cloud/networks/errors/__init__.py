"""Refusals of the network domain, by what they are about. Their names are what Neutron's clients read as `type`."""

from cloud.networks.errors.addresses import (
    GatewayConflictWithAllocationPools, GatewayIpInUse, InvalidAllocationPool, InvalidInput, InvalidIpForNetwork,
    InvalidIpForSubnet, IpAddressGenerationFailure, IpAddressInUse, OutOfBoundsAllocationPool,
    OverlappingAllocationPools,
)
from cloud.networks.errors.networks import (
    BadRequest, InvalidSharedSetting, MacAddressInUse, NetworkInUse, NetworkNotFound, OverQuota, PortInUse,
    PortNotFound, ServicePortInUse, SubnetInUse, SubnetNotFound, TagNotFound,
)
from cloud.networks.errors.security import (
    DefaultGroupExists, DefaultGroupFixed, DefaultGroupKept, GroupInUse, GroupNotFound, RuleConflict, RuleExists,
    RuleInvalid, RuleNotFound,
)
from cloud.networks.errors.servers import (
    ExternalNetworkForbidden, FixedIpTaken, FixedIpUnfit, NetworkAmbiguous, NetworkHasNoSubnet, NetworkUnknown,
    NoNetworkToChoose, PortHasNoAddress, PortTaken, PortUnknown, PortsOverQuota, SecurityGroupAmbiguous,
    SecurityGroupUnknown,
)

__all__ = [
    "BadRequest",
    "DefaultGroupExists",
    "DefaultGroupFixed",
    "DefaultGroupKept",
    "ExternalNetworkForbidden",
    "FixedIpTaken",
    "FixedIpUnfit",
    "GatewayConflictWithAllocationPools",
    "GatewayIpInUse",
    "GroupInUse",
    "GroupNotFound",
    "InvalidAllocationPool",
    "InvalidInput",
    "InvalidIpForNetwork",
    "InvalidIpForSubnet",
    "InvalidSharedSetting",
    "IpAddressGenerationFailure",
    "IpAddressInUse",
    "MacAddressInUse",
    "NetworkAmbiguous",
    "NetworkHasNoSubnet",
    "NetworkInUse",
    "NetworkNotFound",
    "NetworkUnknown",
    "NoNetworkToChoose",
    "OutOfBoundsAllocationPool",
    "OverQuota",
    "OverlappingAllocationPools",
    "PortHasNoAddress",
    "PortInUse",
    "PortNotFound",
    "PortTaken",
    "PortUnknown",
    "PortsOverQuota",
    "RuleConflict",
    "RuleExists",
    "RuleInvalid",
    "RuleNotFound",
    "SecurityGroupAmbiguous",
    "SecurityGroupUnknown",
    "ServicePortInUse",
    "SubnetInUse",
    "SubnetNotFound",
    "TagNotFound",
]
