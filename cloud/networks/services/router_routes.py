"""A router's extra routes: networks that are reached by a machine next to one of the router's ports.

Source: https://docs.openstack.org/api-ref/network/v2/#extra-routes-extension
"""

import ipaddress
from collections.abc import Sequence

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import BadRequest, InvalidRoutes
from cloud.networks.models import Router
from cloud.networks.selectors.owned import lock_router
from cloud.networks.selectors.routing import addresses
from cloud.networks.services import changes
from cloud.networks.services.changing import save_changes

Route = dict[str, str]
# Neutron's own bound.
MOST = 30


def add_routes(context: RequestContext, router_id: str, asked: Sequence[Route]) -> None:
    """Give a router further routes; those that it has stay. Raises RouterNotFound, InvalidRoutes, BadRequest."""
    with transaction.atomic():
        router = lock_router(context, router_id)
        more = [route for route in read_routes(asked) if route not in router.routes]
        routes = [*router.routes, *more]
        check_routes(router, routes)
        save_changes(router, {"routes": routes})
        changes.note([changes.of_router(router.id)])


def remove_routes(context: RequestContext, router_id: str, asked: Sequence[Route]) -> None:
    """Take routes from a router; those that it does not have are no matter. Raises RouterNotFound, InvalidRoutes."""
    with transaction.atomic():
        router = lock_router(context, router_id)
        gone = read_routes(asked)
        save_changes(router, {"routes": [route for route in router.routes if route not in gone]})
        changes.note([changes.of_router(router.id)])


def read_routes(asked: Sequence[Route]) -> list[Route]:
    """Return routes in their canonical form. Raises InvalidRoutes for one that contradicts itself or comes twice."""
    found: list[Route] = []
    for route in asked:
        destination = ipaddress.ip_network(route["destination"], strict=False)
        nexthop = ipaddress.ip_address(route["nexthop"])
        if destination.version != nexthop.version:
            raise InvalidRoutes(route=route, reason="the IP versions of destination and nexthop differ")
        kept = {"destination": str(destination), "nexthop": str(nexthop)}
        if kept in found:
            raise InvalidRoutes(route=route, reason="the route is given twice")
        found.append(kept)
    return found


def check_routes(router: Router, routes: Sequence[Route]) -> None:
    """Refuse routes by which nobody can be reached.

    Raises:
        BadRequest: they are too many.
        InvalidRoutes: a next hop is next to no port of the router, or is the router itself.
    """
    if len(routes) > MOST:
        raise BadRequest(f"Unable to add routes to router {router.id}: a router has no more than {MOST}.")
    held = addresses(router)
    blocks = [ipaddress.ip_network(fixed.subnet.cidr) for fixed in held]
    own = {fixed.ip_address for fixed in held}
    for route in routes:
        if not any(ipaddress.ip_address(route["nexthop"]) in block for block in blocks):
            raise InvalidRoutes(route=route, reason="the nexthop is not connected with router")
        if route["nexthop"] in own:
            raise InvalidRoutes(route=route, reason="the nexthop is used by router")
