"""Reading key pairs."""

from typing import Any

from cloud.compute.errors import KeyPairNotFound
from cloud.compute.models import KeyPair
from cloud.core.errors import Invalid
from cloud.core.paging import after_marker


def get_keypair(user_id: str, name: str) -> KeyPair:
    """Return a user's key pair.

    Raises:
        KeyPairNotFound
    """
    found = KeyPair.objects.filter(user_id=user_id, name=name).first()
    if found is None:
        raise KeyPairNotFound(name=name, user_id=user_id)
    return found


def list_keypairs(user_id: str, limit: int | None = None, marker: str = "") -> list[dict[str, Any]]:
    """Return a page of a user's key pairs by name, as rows of columns.

    Raises:
        Invalid: no such marker.
    """
    rows = KeyPair.objects.filter(user_id=user_id)
    if marker:
        if not rows.filter(name=marker).exists():
            raise Invalid(f"Marker {marker} could not be found.")
        rows = after_marker(rows, [("name", False)], {"name": marker})
    return list(rows.order_by("name").values("name", "public_key", "fingerprint", "type")[:limit])
