"""What is wrong with a router, its interfaces, its gateway or a floating address."""

from cloud.core.errors import Conflict, Invalid, NotFound


class RouterNotFound(NotFound):
    """Router {router_id} could not be found."""


class FloatingIpNotFound(NotFound):
    """Floating IP {floatingip_id} could not be found."""

    code = "FloatingIPNotFound"


class RouterInUse(Conflict):
    """Router {router_id} still has ports: {ports}."""


class RouterInterfaceNotFound(NotFound):
    """Router {router_id} does not have an interface with id {port_id}."""


class RouterInterfaceNotFoundForSubnet(NotFound):
    """Router {router_id} has no interface on subnet {subnet_id}."""


class SubnetMismatchForPort(Conflict):
    """Subnet on port {port_id} does not match the requested subnet {subnet_id}."""


class InterfaceInUseByFloatingIp(Conflict):
    """Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, as it is required by one or more floating IPs."""  # noqa: E501 - one sentence

    code = "RouterInterfaceInUseByFloatingIP"


class InterfaceInUseByRoute(Conflict):
    """Router interface for subnet {subnet_id} on router {router_id} cannot be deleted, as it is required by one or more routes."""  # noqa: E501 - one sentence

    code = "RouterInterfaceInUseByRoute"


class GatewayInUseByFloatingIp(Conflict):
    """Gateway cannot be updated for router {router_id}, since a gateway to external network {network_id} is required by one or more floating IPs."""  # noqa: E501 - one sentence

    code = "RouterExternalGatewayInUseByFloatingIp"


class InvalidRoutes(Invalid):
    """Invalid format for routes: {route}, {reason}."""


class ExternalNetworkInUse(Conflict):
    """External network {network_id} cannot be updated to be made non-external, since it has existing gateway ports or floating IPs."""  # noqa: E501 - one sentence


class ExternalNetworkUnreachable(NotFound):
    """External network {network_id} is not reachable from subnet {subnet_id}. Therefore, cannot associate Port {port_id} with a Floating IP."""  # noqa: E501 - one sentence

    code = "ExternalGatewayForFloatingIPNotFound"


class FixedIpHasFloatingIp(Conflict):
    """Cannot associate floating IP {floating_ip} with port {port_id} using fixed IP {fixed_ip}, as that fixed IP already has a floating IP on external network {network_id}."""  # noqa: E501 - one sentence

    code = "FloatingIPPortAlreadyAssociated"
