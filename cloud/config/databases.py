"""From DATABASE_URL to Django's DATABASES: SQLite for one machine, PostgreSQL for more."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

_CONNECT_SECONDS = 5
_PREPARED_AFTER = 3


def database_settings(url: str, default_path: Path) -> dict[str, Any]:
    """Return the settings of the central database.

    Args:
        url: empty, `sqlite:///path` or `postgresql://user:password@host:port/name`.
        default_path: file of the embedded database where the url is empty.

    Raises:
        ImproperlyConfigured: the scheme is neither of the two.
    """
    parts = urlsplit(url)
    if not url or parts.scheme == "sqlite":
        return _sqlite(Path(unquote(parts.path)) if url else default_path)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            "ENGINE": "cloud.core.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": unquote(parts.hostname or ""),
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                "connect_timeout": _CONNECT_SECONDS,
                # A statement that is asked again is planned once: its text goes to the server without its values.
                "server_side_binding": True,
                "prepare_threshold": _PREPARED_AFTER,
                "answer_seconds": float(os.environ.get("NOVELLA_DATABASE_SECONDS", "8")),
            },
        }
    begins = f"{parts.scheme}://" if parts.scheme else repr(url[:20])
    raise ImproperlyConfigured(f"DATABASE_URL must begin with sqlite:// or postgresql://, not {begins}")


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "cloud.core.sqlite",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction takes the write lock when it begins: two writers wait for each other instead of failing.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            # Each thread has a page cache of its own, and what it has not the kernel's has.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-1000;",
        },
        # Threads of a live test server need the database itself, so tests use a file too.
        "TEST": {"NAME": str(path.parent / "test.sqlite3")},
    }
