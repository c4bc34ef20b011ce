"""Routers of a host that is not heard of go on elsewhere, and those that found no host get one."""

import logging

from django.db import transaction

from cloud.networks.models import Router
from cloud.networks.selectors.hosts import router_hosts
from cloud.networks.services import router_places

_log = logging.getLogger(__name__)
_AT_ONCE = 500


def reconcile() -> None:
    """Move them. A host that comes back is behind with its document, and told until it has let go of them."""
    hosts = router_hosts()
    for router_id in router_places.misplaced(hosts)[:_AT_ONCE]:
        with transaction.atomic():
            router = Router.objects.select_for_update(skip_locked=True).filter(id=router_id).first()
            before = router.host if router else ""
            if router is not None and router_places.move(router, hosts):
                _log.warning("router %s lives on host %s now, not on %s", router_id, router.host, before or "any")
