"""What OpenStack once had and took away: 410 at every microversion."""

from typing import Any

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.core.errors import Gone


@endpoint("os_compute_api:gone")
def gone(request: ApiRequest, **where: Any) -> None:
    """Refuse."""
    raise Gone


# path, methods
_PATHS = (
    ("/os-agents", "GET POST"),
    ("/os-agents/<str:id>", "PUT DELETE"),
    ("/os-cells", "GET POST"),
    ("/os-cells/capacities", "GET"),
    ("/os-cells/detail", "GET"),
    ("/os-cells/info", "GET"),
    ("/os-cells/sync_instances", "POST"),
    ("/os-cells/<str:id>", "GET PUT DELETE"),
    ("/os-cells/<str:id>/capacities", "GET"),
    ("/os-certificates", "POST"),
    ("/os-certificates/<str:id>", "GET"),
    ("/os-cloudpipe", "GET POST"),
    ("/os-cloudpipe/<str:id>", "PUT"),
    ("/os-fixed-ips/<str:id>", "GET"),
    ("/os-fixed-ips/<str:id>/action", "POST"),
    ("/os-floating-ip-dns", "GET"),
    ("/os-floating-ip-dns/<str:id>", "PUT DELETE"),
    ("/os-floating-ip-dns/<str:domain_id>/entries/<str:id>", "GET PUT DELETE"),
    ("/os-floating-ips-bulk", "GET POST"),
    ("/os-floating-ips-bulk/<str:id>", "GET PUT"),
    ("/os-fping", "GET"),
    ("/os-fping/<str:id>", "GET"),
    ("/os-networks/<str:id>/action", "POST"),
    ("/os-security-group-default-rules", "GET POST"),
    ("/os-security-group-default-rules/<str:id>", "GET DELETE"),
    ("/servers/<str:server_id>/consoles", "GET POST"),
    ("/servers/<str:server_id>/consoles/<str:id>", "GET DELETE"),
    ("/servers/<str:server_id>/os-virtual-interfaces", "GET"),
)
ROUTES = [route(path, **dict.fromkeys(methods.split(), gone)) for path, methods in _PATHS]
