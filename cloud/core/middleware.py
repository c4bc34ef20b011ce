"""Request ids for all, cookies for the admin only, identity headers from outside for nobody."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

from cloud.core.context import current_request_id, is_request_id, new_request_id
from cloud.core.metrics import count_request

GetResponse = Callable[[HttpRequest], HttpResponse]

# What a proxy in front of OpenStack's services sets. Nobody sets them here, so whoever sends them lies.
_FORGED = ("HTTP_X_ROLE", "HTTP_X_USER", "HTTP_X_TENANT", "HTTP_X_PROJECT", "HTTP_X_DOMAIN", "HTTP_X_IDENTITY",
           "HTTP_X_IS_ADMIN", "HTTP_X_INSTANCE", "HTTP_X_SYSTEM", "HTTP_X_SERVICE_", "HTTP_OPENSTACK_SYSTEM")


class RequestIdMiddleware:
    """Gives each request an id, answers it back, drops forged identity headers, counts."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Serve the request under its id."""
        for name in [name for name in request.META if name.startswith(_FORGED)]:
            del request.META[name]
        request.id = new_request_id()
        given = request.META.get("HTTP_X_OPENSTACK_REQUEST_ID", "")
        request.global_id = given if is_request_id(given) else ""
        reset = current_request_id.set(request.id)
        began = time.perf_counter()
        try:
            response = self._get_response(request)
        finally:
            current_request_id.reset(reset)
        response.headers["x-openstack-request-id"] = request.id
        count_request(request.path, request.method or "", response.status_code, time.perf_counter() - began)
        return response


def _for_admin(path: str) -> type:
    """Wrap one of Django's middlewares so that it works below /admin/ only."""

    class ForAdmin:
        def __init__(self, get_response: GetResponse) -> None:
            self._plain = get_response
            self._wrapped = import_string(path)(get_response)

        def __call__(self, request: HttpRequest) -> HttpResponse:
            return self._wrapped(request) if request.path.startswith("/admin/") else self._plain(request)

        def process_view(self, request: HttpRequest, *args: object) -> HttpResponse | None:
            inner = getattr(self._wrapped, "process_view", None)
            return inner(request, *args) if inner and request.path.startswith("/admin/") else None

    ForAdmin.__name__ = path.rsplit(".", 1)[1] + "ForAdmin"
    return ForAdmin


for _path in settings.ADMIN_MIDDLEWARE:
    globals()[_path.rsplit(".", 1)[1] + "ForAdmin"] = _for_admin(_path)
