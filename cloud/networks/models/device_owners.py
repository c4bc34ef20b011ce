"""Who uses a port, in the words by which Neutron's clients know it."""

# Owners of ports that belong to the network service itself begin so.
SERVICE = "network:"
ROUTER_INTERFACE = "network:router_interface"
ROUTER_GATEWAY = "network:router_gateway"
FLOATING_IP = "network:floatingip"
SERVER = "compute:nova"
