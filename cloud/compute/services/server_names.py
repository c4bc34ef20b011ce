"""The names and addresses that a server is given, in the form in which they are kept."""

import re
import unicodedata
from ipaddress import ip_address

_OUTSIDE = re.compile(r"[^a-z0-9-]+")
MAX_LABEL = 63


def hostname_of(name: str, uuid: str) -> str:
    """Return a DNS label made from a server's name; `server-<uuid>` where nothing of the name is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    label = _OUTSIDE.sub("", re.sub(r"[ _.]", "-", plain)).strip("-")[:MAX_LABEL].strip("-")
    return label or f"server-{uuid}"


def short_address(text: str) -> str:
    """Return an IP address in its shortest form; an empty text stays empty."""
    return ip_address(text).compressed if text else ""


def numbered(name: str, index: int, count: int) -> str:
    """Return the name of one of several servers made together: `name-1`, `name-2`, ..."""
    return name if count == 1 else f"{name[: 254 - len(str(index + 1))]}-{index + 1}"
