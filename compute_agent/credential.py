"""The agent's credential as its file has it now: who renews it writes the file, and no agent is started again.

The file is looked at whenever the key is needed and whenever a connection to Redis begins, which is when a password
that is no longer good is refused. A file that is half written, or another's, leaves what was known before.
"""

import logging
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from redis.credentials import CredentialProvider

from compute_agent.settings import Settings
from contracts.credentials import CREDENTIAL, HOST_KEY, REDIS_URL, read_credential

log = logging.getLogger(__name__)


class Credential(CredentialProvider):
    """The key, and the name and password in Redis, of one agent. Safe for use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._name = settings.credential
        self._path: Path | None = settings.credential_file
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._key = settings.key
        self._url = settings.redis_url

    def key(self) -> bytes:
        """Return what orders and words are signed with; empty without a credential."""
        self._look()
        return self._key

    def get_credentials(self) -> tuple[str, str]:
        """Return name and password for Redis; see redis-py."""
        self._look()
        parts = urlsplit(self._url)
        return unquote(parts.username or ""), unquote(parts.password or "")

    def _look(self) -> None:
        if self._path is None:
            return
        with self._lock:
            try:
                status = self._path.stat()
                seen = (status.st_mtime_ns, status.st_size, status.st_ino)
                if seen != self._seen:
                    self._seen = seen
                    self._take(read_credential(self._path.read_text()))
            except (OSError, ValueError) as exc:
                log.warning("the credential stays as it was: %s: %s", self._path, exc)

    def _take(self, lines: dict[str, str]) -> None:
        if lines[CREDENTIAL] != self._name:
            raise ValueError(f"it is that of {lines[CREDENTIAL]}, and this agent is {self._name}")
        key = bytes.fromhex(lines[HOST_KEY])
        if key != self._key:
            log.info("credential %s was renewed", self._name)
        self._key, self._url = key, lines[REDIS_URL]


def redis_address(settings: Settings) -> dict[str, Any]:
    """Return what a client of Redis is made with: where it is, and who asks."""
    if settings.credential_file is None:
        return {"url": settings.redis_url}
    parts = urlsplit(settings.redis_url)
    url = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return {"url": url, "credential_provider": Credential(settings)}
