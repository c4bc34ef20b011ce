"""What networks this kernel can carry: tried, because a module may be there without being loaded."""

import errno
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from compute_agent.network import namespaces
from compute_agent.network.underlay import FLAT, VLAN, VXLAN

_WIRE = "probewire"
_NOT_IN_KERNEL = frozenset({errno.EOPNOTSUPP, errno.ENODEV})
_PROBES: Mapping[str, Callable[[int], dict[str, Any]]] = {
    VXLAN: lambda _: {"vxlan_id": 1, "vxlan_port": 4789},
    VLAN: lambda wire: {"link": wire, "vlan_id": 1},
}


@cache
def kernel_types() -> tuple[str, ...]:
    """Return the types of network that this kernel can carry: tried where nothing can be hurt."""
    return (FLAT, *namespaces.run_apart(_tried))


def _tried() -> list[str]:
    with IPRoute() as ipr:
        ipr.link("add", ifname=_WIRE, kind="veth")  # the loopback carries no VLAN on any kernel
        wire = next(iter(ipr.link("get", ifname=_WIRE)))["index"]
        return [kind for kind, values in _PROBES.items() if _can_make(ipr, kind, values(wire))]


def _can_make(ipr: IPRoute, kind: str, values: dict[str, Any]) -> bool:
    try:
        ipr.link("add", ifname=f"probe{kind}", kind=kind, **values)
    except NetlinkError as exc:
        if exc.code in _NOT_IN_KERNEL:
            return False
        raise
    return True
