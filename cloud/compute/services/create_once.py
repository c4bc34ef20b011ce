"""Create servers at most once for each client token, however often and however concurrently the request comes.

The token's row is written in the transaction that makes the servers: a repetition waits for that transaction and then
finds either the servers or, after a refusal, nothing, so that it may succeed where the first did not.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from cloud.compute import states
from cloud.compute.errors import ClientTokenReused, ClientTokenSpent
from cloud.compute.models import ClientToken, Instance
from cloud.compute.services import create_servers
from cloud.compute.services.server_request import ServerRequest
from cloud.core.clock import database_now
from cloud.core.context import RequestContext

KEPT = timedelta(hours=24)
_AT_ONCE = 5_000


def create_once(
    context: RequestContext, request: ServerRequest, token: str, asked: Any
) -> tuple[list[Instance], bool]:
    """Create servers, or find those that the same request made before.

    Args:
        context: who asks; tokens are names within its project.
        request: what is asked.
        token: the client's name for this request.
        asked: the request as JSON-ready builtins: a repetition must ask for the same.

    Returns:
        The instances, and whether they were made now.

    Raises:
        ClientTokenReused: the token was used for another request within the last 24 hours.
        ClientTokenSpent: what the token made is deleted.
        Invalid, Forbidden, Conflict: as `create_servers.create`; the token is free then.
    """
    fingerprint = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    now = database_now()
    with transaction.atomic():
        ClientToken.objects.filter(project_id=context.project_id, token=token, created_at__lte=now - KEPT).delete()
        try:
            with transaction.atomic():
                row = ClientToken.objects.create(
                    project_id=context.project_id, token=token, fingerprint=fingerprint, created_at=now
                )
        except IntegrityError:
            return _made_before(context, token, fingerprint), False
        made = create_servers.create(context, request)
        row.reservation_id = made[0].reservation_id
        row.save(update_fields=["reservation_id"])
    return made, True


def _made_before(context: RequestContext, token: str, fingerprint: str) -> list[Instance]:
    row = ClientToken.objects.get(project_id=context.project_id, token=token)
    if row.fingerprint != fingerprint:
        raise ClientTokenReused(token=token)
    rows = Instance.objects.filter(project_id=context.project_id, reservation_id=row.reservation_id, deleted=False)
    found = list(rows.exclude(vm_state=states.SOFT_DELETED).order_by("launch_index"))
    if not found:
        raise ClientTokenSpent(token=token)
    return found


def prune() -> int:
    """Forget tokens that are too old to count, a bounded number of them; return how many."""
    old = ClientToken.objects.filter(created_at__lte=database_now() - KEPT)
    ids = list(old.values_list("pk", flat=True)[:_AT_ONCE])
    ClientToken.objects.filter(pk__in=ids).delete()
    return len(ids)
