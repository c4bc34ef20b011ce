"""What carries a network between hosts: chosen, or checked where an admin names it, and never given twice.

A number is guessed at random and only then looked up, as addresses are: see `addresses`.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from cloud.core.errors import CloudError
from cloud.networks.errors import FlatNetworkInUse, InvalidInput, NoNetworkAvailable, TunnelIdInUse, VlanIdInUse
from cloud.networks.models import Network
from cloud.networks.models.network_types import FLAT, OVERHEAD, VLAN, VXLAN
from cloud.networks.selectors.underlay import underlays

PHYSICAL_MTU = 1500
MAX_MTU = 9000
MAX_VNI = 2**24 - 1
MAX_VLAN = 4094
# The API's attributes, and the columns in which they lie.
ATTRIBUTES = {
    "provider:network_type": "network_type",
    "provider:physical_network": "physical_network",
    "provider:segmentation_id": "segmentation_id",
}
_LARGEST = {VXLAN: MAX_VNI, VLAN: MAX_VLAN}
_ON_WIRES = (VLAN, FLAT)
_LACKING = {VLAN: "their kernels lack 802.1Q (module 8021q)", FLAT: "their agents cannot"}
_GUESSES = 8
_TRIES = 50


@dataclass(frozen=True)
class Segment:
    """What an admin asked for; a number of 0 is any."""

    network_type: str = VXLAN
    physical_network: str = ""
    segmentation_id: int = 0


def read_segment(values: dict[str, Any]) -> Segment:
    """Return what the API's attributes ask for; a VXLAN network where they ask for nothing.

    Raises:
        InvalidInput: they do not fit each other, or no host can carry it.
    """
    kind, wire = values.get("provider:network_type"), values.get("provider:physical_network") or ""
    number = values.get("provider:segmentation_id") or 0
    if kind is None:
        if wire or number:
            raise InvalidInput(reason="network_type required")
        return Segment()
    if wire and kind not in _ON_WIRES:
        raise InvalidInput(reason=f"provider:physical_network specified for {kind} network")
    if kind in _ON_WIRES and wire not in settings.PHYSICAL_NETWORKS:
        raise InvalidInput(reason=f"physical_network '{wire}' unknown for {kind} provider network")
    if number > _LARGEST.get(kind, 0):
        most = f"the largest is {_LARGEST[kind]}" if kind in _LARGEST else "it has none"
        raise InvalidInput(reason=f"segmentation_id {number} is not valid for {kind} network: {most}")
    if kind in _ON_WIRES:
        _check_hosts(kind, wire)
    return Segment(kind, wire, number)


def _check_hosts(kind: str, wire: str) -> None:
    """Refuse what no host could carry, by what hosts said of themselves: silent ones may be able to. One query."""
    said = underlays()
    types = [one.network_types for one in said if one.network_types]
    if types and not any(kind in one for one in types):
        raise InvalidInput(reason=f"no host can carry {kind} networks: {_LACKING[kind]}")
    wires = {name for one in said for name in one.physical_networks}
    if wires and wire not in wires:
        raise InvalidInput(reason=f"no host is connected to physical_network '{wire}'")


def largest_mtu(kind: str) -> int:
    """Return the largest MTU that a type of network can have."""
    return MAX_MTU - OVERHEAD.get(kind, 0)


def default_mtu(kind: str) -> int:
    """Return the MTU of networks of a type for which none is asked."""
    return PHYSICAL_MTU - OVERHEAD.get(kind, 0)


def insert_network(draft: Network, asked: Segment) -> Network:
    """Insert a network with a segment of its own, whoever else does the same at the moment.

    Raises:
        VlanIdInUse, TunnelIdInUse, FlatNetworkInUse: what was asked for carries another network.
        NoNetworkAvailable: every number of the range is taken.
    """
    draft.network_type, draft.physical_network = asked.network_type, asked.physical_network
    for _ in range(_TRIES):
        if asked.network_type in _LARGEST:
            draft.segmentation_id = asked.segmentation_id or _free(asked)
        try:
            with transaction.atomic():
                draft.save(force_insert=True)
            return draft
        except IntegrityError:
            if asked.segmentation_id or asked.network_type == FLAT:
                raise _taken(asked) from None
    raise NoNetworkAvailable


def _taken(asked: Segment) -> CloudError:
    if asked.network_type == FLAT:
        return FlatNetworkInUse(physical_network=asked.physical_network)
    if asked.network_type == VLAN:
        return VlanIdInUse(segmentation_id=asked.segmentation_id, physical_network=asked.physical_network)
    return TunnelIdInUse(segmentation_id=asked.segmentation_id)


def _free(asked: Segment) -> int:
    """Return a number of the range that no network has. Raises NoNetworkAvailable."""
    first, last = (
        settings.VNI_RANGE if asked.network_type == VXLAN else settings.PHYSICAL_NETWORKS[asked.physical_network]
    )
    alike = Network.objects.filter(network_type=asked.network_type, physical_network=asked.physical_network)
    for numbers in _guesses(first, last):
        taken = set(alike.filter(segmentation_id__in=numbers).values_list("segmentation_id", flat=True))
        found = next((number for number in numbers if number not in taken), None)
        if found is not None:
            return found
    # So many guesses were wrong that few are left: look at all that are taken.
    taken = set(alike.filter(segmentation_id__range=(first, last)).values_list("segmentation_id", flat=True))
    left = next((number for number in range(first, last + 1) if number not in taken), None)
    if left is None:
        raise NoNetworkAvailable
    return left


def _guesses(first: int, last: int) -> Iterator[list[int]]:
    if first <= last:
        yield [random.randint(first, last) for _ in range(_GUESSES)]  # noqa: S311  # not a secret
