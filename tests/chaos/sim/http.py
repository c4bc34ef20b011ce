"""The API's own handler, asked without a socket. Django's test client leaves a little behind in signals every time."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory


class Api:
    """An API process, as its WSGI server sees it."""

    def __init__(self) -> None:
        self._factory = RequestFactory()
        self._handler = WSGIHandler()

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json", **headers: str) -> Any:
        """Return the response to a request; names of headers have underscores here."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = self._factory.generic(method, path, body, content_type=kind, headers=named)
        response = self._handler(request.environ, lambda status, headers: None)
        response.close()
        return response
