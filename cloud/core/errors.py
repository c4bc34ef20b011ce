"""Every refusal of the API.

    CloudError
    ├─ Invalid             400
    ├─ Unauthorized        401
    ├─ Forbidden           403   PolicyNotAuthorized, QuotaExceeded
    ├─ NotFound            404
    ├─ NotAcceptable       406
    ├─ Conflict            409   StateConflict, GenerationConflict
    ├─ Gone                410
    ├─ TooLarge            413
    ├─ UnsupportedMedia    415
    ├─ NotImplementedHere  501
    └─ Unavailable         503

Each app adds its own below these, in its `errors.py`. The class's docstring is its default message, a format string
over the keyword arguments. Services raise these and nothing else; `cloud.core.faults` renders them.
"""

from typing import ClassVar


class CloudError(Exception):
    """The request could not be carried out."""

    status: ClassVar[int] = 500
    # What another service's client reads as `type` (Network) or `code` (Placement); empty for the class's name.
    code: ClassVar[str] = ""

    def __init__(self, message: str = "", headers: dict[str, str] | None = None, **values: object) -> None:
        self.message = message or (self.__class__.__doc__ or "").strip().splitlines()[0].format(**values)
        self.headers = headers or {}
        super().__init__(self.message)

    @property
    def kind(self) -> str:
        """Stable name of the error."""
        return self.code or type(self).__name__


class Invalid(CloudError):
    """The request is not valid."""

    status = 400


class MalformedBody(Invalid):
    """Malformed request body"""


class Unauthorized(CloudError):
    """The request you have made requires authentication."""

    status = 401


class Forbidden(CloudError):
    """You are not allowed to do this."""

    status = 403


class PolicyNotAuthorized(Forbidden):
    """Policy doesn't allow {policy} to be performed."""


class QuotaExceeded(Forbidden):
    """Quota exceeded for {resource}: Requested {requested}, but already used {used} of {limit} {resource}"""


class NotFound(CloudError):
    """The resource could not be found."""

    status = 404


class NotAcceptable(CloudError):
    """The requested version is not supported."""

    status = 406


class Conflict(CloudError):
    """The request conflicts with the state of the resource."""

    status = 409


class StateConflict(Conflict):
    """Cannot '{action}' instance {uuid} while it is in {attribute} {state}"""


class GenerationConflict(Conflict):
    """Somebody else changed the resource in the meantime; read it again and retry."""


class Gone(CloudError):
    """This resource is no longer available. No forwarding address is given."""

    status = 410


class TooLarge(CloudError):
    """Request is too large."""

    status = 413


class UnsupportedMedia(CloudError):
    """Unsupported Content-Type"""

    status = 415


class NotImplementedHere(CloudError):
    """This cloud does not implement the operation."""

    status = 501


class Unavailable(CloudError):
    """The service is busy or a part of it cannot be reached; try again shortly."""

    status = 503
