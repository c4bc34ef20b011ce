"""A host asks what its networks shall be, by signed link."""

import msgspec

from cloud.core.endpoints import ApiRequest, Reply, endpoint, route
from cloud.core.errors import Forbidden
from cloud.core.host_links import Use, check
from cloud.networks.services.host_documents import difference, document, path_of

_DIGESTS = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 64}}
_KNOWN = {
    "type": "object",
    "properties": {"known": {"type": "object", "additionalProperties": _DIGESTS}},
    "required": ["known"],
    "additionalProperties": False,
}


@endpoint("", body=_KNOWN)
def tell(request: ApiRequest, host: str) -> Reply:
    """Answer with what the host does not have yet."""
    if check(path_of(host), Use.FETCH, request.query) != host:
        raise Forbidden
    return Reply(msgspec.to_builtins(difference(document(host), request.body["known"])))


ROUTES = [route("/hosts/<str:host>", POST=tell)]
