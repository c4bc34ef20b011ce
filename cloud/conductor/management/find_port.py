"""Which port somebody means who types what he knows of it."""

from django.core.management.base import CommandError
from django.db.models import Q

from cloud.compute.management.find_server import NOT_FOUND
from cloud.networks.models import Port

_SHORTEST_BEGINNING = 4


def find_port(text: str) -> Port:
    """Return the one port that is meant, by its id, the beginning of its id, its name, its MAC or an address of it.

    Raises:
        CommandError: there is none, or more than one; as an exit status this is 2.
    """
    wanted = Q(id=text) | Q(name=text) | Q(mac_address=text.lower()) | Q(fixed_ips__ip_address=text)
    if len(text) >= _SHORTEST_BEGINNING:
        wanted |= Q(id__startswith=text)
    rows = Port.objects.filter(wanted).select_related("network", "router").distinct()
    found = list(rows.order_by("created_at", "id")[:20])
    if not found:
        raise CommandError(f"There is no port whose id, name, MAC or address is {text!r}.", returncode=NOT_FOUND)
    if len(found) > 1:
        candidates = "\n".join(f"  {one.id}  {one.mac_address}  in network {one.network}" for one in found)
        text = f"{len(found)} ports are meant by {text!r}; name one by its id:\n{candidates}"
        raise CommandError(text, returncode=NOT_FOUND)
    return found[0]
