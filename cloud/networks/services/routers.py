"""Routers made, changed and removed."""

from collections import Counter
from typing import Any

from django.db import transaction

from cloud.core.context import RequestContext
from cloud.networks.errors import RouterInUse
from cloud.networks.models import ResourceTag, Router
from cloud.networks.selectors.owned import lock_router
from cloud.networks.selectors.routing import interfaces
from cloud.networks.services.changing import renamed, save_changes
from cloud.networks.services.quotas import make_room
from cloud.networks.services.router_gateways import delete_gateway, gateway_network, set_gateway
from cloud.networks.services.router_places import settle
from cloud.networks.services.router_routes import check_routes, read_routes

# Not columns, or set with a rule of their own.
_APART = ("tenant_id", "external_gateway_info", "routes", "availability_zone_hints", "flavor_id")
_PORTS_NAMED = 5


def create_routers(context: RequestContext, wanted: list[dict[str, Any]]) -> list[str]:
    """Make routers, all or none, from the API's attributes with their `project_id`; return their ids.

    Raises:
        OverQuota, and what `set_gateway` raises
    """
    with transaction.atomic():
        for project_id, count in Counter(item["project_id"] for item in wanted).items():
            make_room(project_id, "router", count)
        return [_create(context, item) for item in wanted]


def update_router(context: RequestContext, router_id: str, values: dict[str, Any]) -> None:
    """Change a router by the API's attributes.

    Raises:
        RouterNotFound, InvalidRoutes, BadRequest, and what `set_gateway` raises
    """
    with transaction.atomic():
        router = lock_router(context, router_id)
        before = gateway_network(router)
        changed = renamed(values, {}, without=_APART)
        if "external_gateway_info" in values:
            changed |= _gateway(context, router, values["external_gateway_info"])
        if "routes" in values:
            changed["routes"] = read_routes(values["routes"] or [])
        # A route may have led by the gateway that has gone.
        check_routes(router, changed.get("routes", router.routes))
        save_changes(router, changed)
        settle(router, before | gateway_network(router) if "external_gateway_info" in values else ())


def delete_router(context: RequestContext, router_id: str) -> None:
    """Remove a router and its gateway.

    Raises:
        RouterNotFound
        RouterInUse: it has interfaces.
    """
    with transaction.atomic():
        router = lock_router(context, router_id)
        ports = list(interfaces(router).values_list("id", flat=True)[:_PORTS_NAMED])
        if ports:
            raise RouterInUse(router_id=router_id, ports=", ".join(ports))
        gone = gateway_network(router)
        delete_gateway(router)
        settle(router, gone)
        ResourceTag.objects.filter(resource_id=router_id).delete()
        router.delete()


def _create(context: RequestContext, item: dict[str, Any]) -> str:
    router = Router.objects.create(**renamed(item, {}, without=_APART))
    changed = _gateway(context, router, item.get("external_gateway_info"))
    Router.objects.filter(id=router.id).update(**changed)
    settle(router, gateway_network(router))
    return router.id


def _gateway(context: RequestContext, router: Router, asked: dict[str, Any] | None) -> dict[str, Any]:
    """Set a router's gateway and return the columns that change with it."""
    set_gateway(context, router, asked)
    return {"enable_snat": (asked or {}).get("enable_snat", True)}
