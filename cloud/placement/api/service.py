"""The Placement service: its prefix, its microversions, and the headers of its answers."""

from typing import Any

from django.utils.http import http_date

from cloud.core import faults
from cloud.core.endpoints import ApiRequest, Reply, Service
from cloud.core.microversions import Microversions, version

MICROVERSIONS = Microversions("placement", version("1.0"), version("1.39"))
SERVICE = Service("placement", "placement", faults.placement, MICROVERSIONS)
_SAYS_WHEN = version("1.15")


def reply(request: ApiRequest, body: Any) -> Reply:
    """Answer a body; from 1.15 on clients are told that it may be another one the next moment."""
    if request.version < _SAYS_WHEN:
        return Reply(body)
    return Reply(body, headers={"Last-Modified": http_date(), "Cache-Control": "no-cache"})


def has(request: ApiRequest, since: str) -> bool:
    """Tell whether the request speaks a microversion or a newer one."""
    return request.version >= version(since)
