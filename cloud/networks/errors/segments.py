"""What is wrong with what shall carry a network between hosts."""

from cloud.core.errors import Conflict


class NoNetworkAvailable(Conflict):
    """Unable to create the network. No tenant network is available for allocation."""


class VlanIdInUse(Conflict):
    """Unable to create the network. The VLAN {segmentation_id} on physical network {physical_network} is in use."""


class TunnelIdInUse(Conflict):
    """Unable to create the network. The tunnel ID {segmentation_id} is in use."""


class FlatNetworkInUse(Conflict):
    """Unable to create the flat network. Physical network {physical_network} is in use."""
