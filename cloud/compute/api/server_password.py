"""The password that a guest has made for itself and stored, encrypted, with the metadata service. GET 200, DELETE 204.

Guests cannot store one here, so that it is always empty, as Nova's is for a guest that stored none.

Source: https://docs.openstack.org/api-ref/compute/#servers-password-servers-os-server-password
"""

from cloud.compute.selectors import servers
from cloud.core.endpoints import ApiRequest, endpoint, route


@endpoint("os_compute_api:os-server-password:show")
def show(request: ApiRequest, server_id: str) -> dict[str, str]:
    """Show a server's stored password."""
    servers.get(request.context, server_id)
    return {"password": ""}


@endpoint("os_compute_api:os-server-password:clear", status=204)
def clear(request: ApiRequest, server_id: str) -> None:
    """Forget a server's stored password."""
    servers.get(request.context, server_id)


ROUTES = [route("/servers/<str:server_id>/os-server-password", GET=show, DELETE=clear)]
