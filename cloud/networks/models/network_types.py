"""What carries a network between hosts, in the words of Neutron's provider attributes."""

VXLAN = "vxlan"
VLAN = "vlan"
FLAT = "flat"
LOCAL = "local"
TYPES = (VXLAN, VLAN, FLAT, LOCAL)
# Bytes of a frame of the physical network that the carrier takes for itself.
OVERHEAD = {VXLAN: 50}
