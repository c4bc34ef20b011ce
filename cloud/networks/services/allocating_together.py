"""The interfaces of servers that get their hosts together, made in the same few statements for any number of them.

Plain ones only: where a server wants a port that is there, or an address of its choice, or somebody is in the way,
nothing is made, and `allocation.allocate` looks at each server by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from cloud.core.errors import CloudError
from cloud.networks.models import Port
from cloud.networks.services.allocation import Known, drafts_for
from cloud.networks.services.plugging import make_ports


@dataclass(frozen=True)
class Wanting:
    """A server that has no interface yet: whose it is, what `requests.check` returned for it, and where it will run."""

    instance_uuid: str
    project_id: str
    network_request: dict[str, Any]
    host: str


def allocate_together(servers: Sequence[Wanting], known: Known) -> bool:
    """Give servers their interfaces and bind them to their hosts, all of them or none; tell whether that was done.

    Args:
        servers: whose hosts were claimed in this transaction.
        known: of `known_to`; the caller notes its changes.
    """
    if len(servers) < 2 or not all(_is_plain(one) for server in servers for one in _requests(server)):
        return False
    try:
        with transaction.atomic():
            found = [one for server in servers for one in _drafts(server, known)]
            make_ports([draft for draft, _ in found], {draft.id: groups for draft, groups in found}, known.subnets)
    except (IntegrityError, CloudError):
        known.default_groups.clear()  # if one was made just now, it is undone with the rest
        return False
    return True


def _requests(server: Wanting) -> list[dict[str, str]]:
    requests: list[dict[str, str]] = server.network_request.get("requests", [])
    return requests


def _is_plain(request: Mapping[str, str]) -> bool:
    return bool(request) and not request.get("port_id") and not request.get("fixed_ip")


def _drafts(server: Wanting, known: Known) -> list[tuple[Port, Sequence[str]]]:
    like = Port(device_id=server.instance_uuid, project_id=server.project_id, host=server.host)
    wanted = list(enumerate(_requests(server)))
    return [(draft, groups) for draft, _, groups in drafts_for(like, wanted, server.network_request, known)]
