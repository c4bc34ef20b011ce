"""Declaring an API: an endpoint is a function with its policy, status, schemas and microversions; routes are rows.

    @endpoint("os_compute_api:os-keypairs:create", status=ByVersion({"2.1": 200, "2.2": 201}), body=CREATE)
    def create(request): ...

    ROUTES = [route("os-keypairs", GET=keypairs.index, POST=keypairs.create)]

The function gets an `ApiRequest` and the path's values, and returns a body (dict or list), None, or a Reply.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.http import QueryDict

from cloud.core.context import RequestContext
from cloud.core.faults import FaultStyle
from cloud.core.microversions import ByVersion, Microversions, Version, version
from cloud.core.validation import Schema

NO_VERSION = Version(0, 0)


@dataclass(frozen=True)
class Service:
    """One OpenStack API served below a prefix.

    Attributes:
        name: `compute`; also the prefix of its request id header. prefix: path without slashes at its ends.
        max_body_bytes: 0 for the default.
    """

    name: str
    prefix: str
    fault_style: FaultStyle
    microversions: Microversions | None = None
    title: str = ""


@dataclass(frozen=True)
class ApiRequest:
    """A request that has passed authentication, policy and validation.

    Attributes:
        body: parsed JSON, or None. query: the query string. version: the microversion, (0, 0) where there is none.
        url: of the service, without a slash at its end and as the client sees it, e.g. http://host:8000/compute.
        path: of the request, below the service's url. django: the request underneath, for streams.
    """

    context: RequestContext
    body: Any
    query: QueryDict
    version: Version
    url: str
    path: str
    django: Any = field(repr=False)


class Reply(NamedTuple):
    """An answer that is more than a body."""

    body: Any = None
    status: int | None = None
    headers: dict[str, str] = {}


@dataclass(frozen=True)
class Endpoint:
    """One operation of the API.

    Attributes:
        function: called as function(request, **path values).
        policy: row of the policy table; empty for what needs no token (`is_public`).
        status: of success. body, query: JSON schemas, or ByVersion of such, or None for none.
        since, until: microversions at which it exists, both included.
        reads_stream: the body is not JSON and the function reads it itself.
    """

    function: Callable[..., Any]
    policy: str
    status: int | ByVersion = 200
    body: Schema | ByVersion | None = None
    query: Schema | ByVersion | None = None
    since: Version | None = None
    until: Version | None = None
    reads_stream: bool = False

    @property
    def is_public(self) -> bool:
        """Whether it answers without a token."""
        return not self.policy

    def exists_at(self, number: Version) -> bool:
        """Tell whether the operation exists at a microversion."""
        return (self.since is None or number >= self.since) and (self.until is None or number <= self.until)


def endpoint(
    policy: str, since: str = "", until: str = "", **declared: Any
) -> Callable[[Callable[..., Any]], Endpoint]:
    """Declare an endpoint; see Endpoint for the arguments."""
    def declare(function: Callable[..., Any]) -> Endpoint:
        return Endpoint(
            function=function,
            policy=policy,
            since=version(since) if since else None,
            until=version(until) if until else None,
            **declared,
        )

    return declare


@dataclass(frozen=True)
class Route:
    """A path below a service and its endpoints by HTTP method. A method may have several, by microversion."""

    path: str
    methods: dict[str, tuple[Endpoint, ...]]

    def endpoints(self) -> Iterator[tuple[str, Endpoint]]:
        """Yield (method, endpoint)."""
        for method, found in self.methods.items():
            for one in found:
                yield method, one


def route(path: str, **methods: Endpoint | tuple[Endpoint, ...]) -> Route:
    """Make a row: `route("servers/<str:server_id>", GET=show, DELETE=delete)`."""
    return Route(path, {name: found if isinstance(found, tuple) else (found,) for name, found in methods.items()})
