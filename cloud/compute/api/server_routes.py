"""Every route about servers, for the table of compute's routes."""

from cloud.compute.api import instance_actions, server_actions, server_ips, server_metadata, server_tags, servers
from cloud.core.endpoints import Route

SERVER_ROUTES: list[Route] = [
    *servers.ROUTES,
    *server_actions.ROUTES,
    *server_metadata.ROUTES,
    *server_tags.ROUTES,
    *server_ips.ROUTES,
    *instance_actions.ROUTES,
]
