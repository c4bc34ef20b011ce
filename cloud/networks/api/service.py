"""The Network service: its prefix, and Neutron's names for the errors that come from the frame."""

from cloud.core import faults
from cloud.core.endpoints import Service
from cloud.core.errors import CloudError

_KINDS = {"Invalid": "HTTPBadRequest", "MalformedBody": "HTTPBadRequest", "NotFound": "HTTPNotFound",
          "UnsupportedMedia": "HTTPUnsupportedMediaType", "TooLarge": "HTTPRequestEntityTooLarge",
          "Unavailable": "HTTPServiceUnavailable", "Conflict": "HTTPConflict"}


def fault(error: CloudError, request_id: str) -> faults.Fault:
    """Word an error as Neutron does."""
    content_type, body = faults.neutron(error, request_id)
    if isinstance(body, dict) and "NeutronError" in body:
        details = body["NeutronError"]
        body = {"NeutronError": {**details, "type": _KINDS.get(details["type"], details["type"])}}
    return content_type, body


SERVICE = Service("network", "network", fault)
EXTENSIONS_UPDATED = "2026-01-01T00:00:00-00:00"
