"""How each OpenStack service words its refusals. One function a dialect; clients read each of them.

Observed on Nova 34, Keystone 30, Glance 33, Neutron 29 and Placement 16.
"""

import html
from collections.abc import Callable
from http import HTTPStatus

from cloud.core.errors import CloudError

# (content type, body); a str body is sent as it is, anything else as JSON.
Fault = tuple[str, object]
FaultStyle = Callable[[CloudError, str], Fault]

JSON = "application/json"
_NOVA_NAMES = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
    503: "serviceUnavailable",
}


def title(status: int) -> str:
    """Return the reason phrase of a status."""
    return HTTPStatus(status).phrase


def nova(error: CloudError, request_id: str) -> Fault:
    """Compute and Block Storage: one key by status. 401 is the middleware's, not Nova's."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return keystone(error, request_id)
    body: dict[str, object] = {"code": error.status, "message": error.message}
    if error.status in (413, 429):
        body["retryAfter"] = error.headers.get("Retry-After", "0")
    name = _NOVA_NAMES.get(error.status, "computeFault")
    return "application/json; charset=UTF-8", {name: body}


def keystone(error: CloudError, request_id: str) -> Fault:
    """Identity."""
    return JSON, {"error": {"code": error.status, "message": error.message, "title": title(error.status)}}


def glance(error: CloudError, request_id: str) -> Fault:
    """Image: a page of HTML."""
    heading = f"{error.status} {title(error.status)}"
    return "text/html; charset=UTF-8", (
        f"<html>\n <head>\n  <title>{heading}</title>\n </head>\n <body>\n  <h1>{heading}</h1>\n"
        f"  {html.escape(error.message)}<br /><br />\n\n\n </body>\n</html>"
    )


def neutron(error: CloudError, request_id: str) -> Fault:
    """Network."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return keystone(error, request_id)
    return JSON, {"NeutronError": {"type": error.kind, "message": error.message, "detail": ""}}


def placement(error: CloudError, request_id: str) -> Fault:
    """Placement."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return keystone(error, request_id)
    fault: dict[str, object] = {"status": error.status, "title": title(error.status), "detail": error.message,
                                "request_id": request_id}
    if error.code:
        fault["code"] = error.code
    return JSON, {"errors": [fault]}
