"""The password that a guest has made for itself and stored, encrypted, with the metadata service. GET 200, DELETE 204.

Source: https://docs.openstack.org/api-ref/compute/#servers-password-servers-os-server-password
"""

from cloud.compute.selectors import servers
from cloud.compute.services import guest_passwords
from cloud.core.endpoints import ApiRequest, endpoint, route


@endpoint("os_compute_api:os-server-password:show")
def show(request: ApiRequest, server_id: str) -> dict[str, str]:
    """Show a server's stored password, empty for a guest that stored none."""
    return {"password": guest_passwords.of(servers.get(request.context, server_id).uuid)}


@endpoint("os_compute_api:os-server-password:clear", status=204)
def clear(request: ApiRequest, server_id: str) -> None:
    """Forget a server's stored password: its guest may store another."""
    guest_passwords.forget(servers.get(request.context, server_id).uuid)


ROUTES = [route("/servers/<str:server_id>/os-server-password", GET=show, DELETE=clear)]
