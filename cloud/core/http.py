"""From an HTTP request to an endpoint and back: one DRF view class serves every route of every service.

Order of the checks: microversion, token, existence, policy, body, query. The first that fails answers.
"""

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db import IntegrityError
from django.http import HttpResponse, HttpResponseBase
from django.urls import URLPattern, path, re_path
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from cloud.core import faults, policy
from cloud.core.clock import DATABASE_AWAY
from cloud.core.context import RequestContext, authenticate
from cloud.core.endpoints import NO_VERSION, ApiRequest, Endpoint, Reply, Route, Service
from cloud.core.errors import (
    CloudError,
    Conflict,
    Invalid,
    MalformedBody,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMedia,
)
from cloud.core.microversions import Version, at_version
from cloud.core.validation import check_body, check_query

_log = logging.getLogger(__name__)
_JSON_TYPES = ("application/json", "")


class _NoNegotiation(BaseContentNegotiation):
    """OpenStack answers JSON whatever Accept says."""

    def select_parser(self, request: Request, parsers: Sequence[Any]) -> None:
        return None

    def select_renderer(self, request: Request, renderers: Sequence[Any], format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ServiceView(APIView):
    """Serves one route."""

    service: Service = None  # type: ignore[assignment]  # as_view fills both in
    route: Route = None  # type: ignore[assignment]
    renderer_classes = [JSONRenderer]
    content_negotiation_class = _NoNegotiation

    # DRF looks for one method per verb; here the route's table knows them.
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, whatever happens."""
        self.args, self.kwargs = args, kwargs
        self.headers: dict[str, str] = {}
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            response = self._answer(request, kwargs)
        except CloudError as error:
            response = render_fault(self.service, error, request)
        except DATABASE_AWAY as error:
            # One line for each of the many requests that meet it: where they were says nothing of why it is away.
            _log.warning("the database could not be reached: %s", " ".join(str(error).split()))
            response = render_fault(self.service, Unavailable(headers={"Retry-After": "5"}), request)
        except IntegrityError:
            # Services check first; what only the table's constraint found, somebody else did in the same moment.
            _log.exception("a constraint of the database refused the change")
            response = render_fault(self.service, Conflict(_OVERTAKEN), request)
        except Exception:  # noqa: BLE001  # the last resort: logged whole, answered as a fault
            _log.exception("unexpected error")
            response = render_fault(self.service, CloudError(_UNEXPECTED), request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault(f"x-{self.service.name}-request-id", request.id)
        return response

    def _answer(self, request: Any, kwargs: dict[str, Any]) -> HttpResponseBase:
        number = self._negotiate(request)
        candidates = self.route.methods.get(request.method, ())
        is_public = any(one.is_public for one in candidates)
        context = RequestContext(request.id, "") if is_public else _context(request)
        found = next((one for one in candidates if one.exists_at(number)), None)
        if found is None:
            raise NotFound
        _check_path(kwargs)
        self._check_project(context, kwargs)
        if not is_public:
            policy.enforce(context, found.policy)
        body = None if found.reads_stream else _body(request)
        _validate(found, body, request, number)
        url, below = _split_url(request, self.service)
        api = ApiRequest(context, body, request.GET, number, url, below, request)
        return _render(found, found.function(api, **kwargs), number)

    def _negotiate(self, request: Any) -> Version:
        if self.service.microversions is None:
            return NO_VERSION
        number = self.service.microversions.negotiate(request.META)
        self.headers = self.service.microversions.echo(number)
        return number

    @staticmethod
    def _check_project(context: RequestContext, kwargs: dict[str, Any]) -> None:
        """Refuse a project id in the URL that is not the token's, as Nova does."""
        named = kwargs.pop("url_project_id", None)
        if named is not None and named != context.project_id:
            raise MalformedBody(
                f"Malformed request URL: URL's project_id '{named}' doesn't match Context's project_id "
                f"'{context.project_id}'"
            )


_OVERTAKEN = "Another request changed what this one is about in the same moment; look at it again and retry."
_UNEXPECTED = (
    "Unexpected API Error. Please report this with the request id to your cloud's operator, "
    "who finds the cause in the log under that id."
)


def _check_path(kwargs: dict[str, Any]) -> None:
    """Nothing has a name with a NUL, and a database may choke on it."""
    if any(isinstance(value, str) and "\0" in value for value in kwargs.values()):
        raise NotFound


def _context(request: Any) -> RequestContext:
    token = request.META.get("HTTP_X_AUTH_TOKEN", "")
    context = authenticate(token, request.id) if token else None
    if context is None:
        raise Unauthorized
    return context


def _body(request: Any) -> Any:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > settings.MAX_REQUEST_BODY_BYTES:
        raise TooLarge(headers={"Connection": "close"})
    raw = request.body
    if not raw:
        return None
    if (request.content_type or "").lower() not in _JSON_TYPES and not request.content_type.endswith("+json"):
        raise UnsupportedMedia
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise MalformedBody from None
    if b"\\u0000" in raw and _has_nul(body):
        raise Invalid("The request body holds a NUL character.")
    return body


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(below) for key, below in value.items())
    return isinstance(value, list) and any(map(_has_nul, value))


def _validate(found: Endpoint, body: Any, request: Any, number: Version) -> None:
    schema = at_version(found.body, number)
    if schema is not None:
        check_body(schema, body)
    if any("\0" in value for values in request.GET.lists() for value in values[1]):
        raise Invalid("The query string holds a NUL character.")
    schema = at_version(found.query, number)
    if schema is not None:
        check_query(schema, request.GET)


def _split_url(request: Any, service: Service) -> tuple[str, str]:
    prefix = f"/{service.prefix}"
    return request.build_absolute_uri(prefix), request.path.removeprefix(prefix)


def _render(found: Endpoint, answer: Any, number: Version) -> HttpResponseBase:
    if isinstance(answer, HttpResponseBase):
        return answer
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    status = reply.status or at_version(found.status, number)
    content = b"" if reply.body is None else orjson.dumps(reply.body)
    response = HttpResponse(content, status=status, content_type="application/json")
    if reply.body is None:
        del response.headers["Content-Type"]
        if status != 204:
            response.headers["Content-Type"] = "application/json"
    for name, value in reply.headers.items():
        response.headers[name] = value
    return response


def render_fault(service: Service, error: CloudError, request: Any) -> HttpResponse:
    """Word an error in the dialect of its service."""
    content_type, body = service.fault_style(error, request.id)
    content = body if isinstance(body, str) else orjson.dumps(body)
    response = HttpResponse(content, status=error.status, content_type=content_type)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = f'Keystone uri="{settings.API_URL}/identity"'
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


def patterns(service: Service, routes: Sequence[Route]) -> list[URLPattern]:
    """Return Django's URL patterns for a service's routes, relative to its prefix."""
    view = ServiceView.as_view
    return [
        path(one.path, _csrf_free(view(service=service, route=one)))
        for one in routes
    ]


def unknown_path(service: Service) -> URLPattern:
    """Return the pattern that answers 404 in the service's dialect; put it last."""

    def not_found(request: Any) -> HttpResponse:
        error = NotFound("The resource could not be found: this cloud serves nothing at this path.")
        if service.name == "compute":
            return HttpResponse(faults.glance(error, request.id)[1], status=404, content_type="text/html")
        return render_fault(service, error, request)

    return re_path(r"^.*$", _csrf_free(not_found))


def _csrf_free(view: Any) -> Any:
    view.csrf_exempt = True
    return view


def host_of(url: str) -> str:
    """Return scheme and host of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
