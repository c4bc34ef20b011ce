"""Ports of servers that are deleted through the Network API: their hosts let go of them before the rows go.

The domain above, which knows the servers, says whether one has the port, and has it detached. Until then the port is
gone for everybody else: nobody is shown it, it has no groups and no floating IP, and its host lets nothing pass it.
"""

from collections.abc import Callable

from cloud.core.context import RequestContext
from cloud.networks.models import Port
from cloud.networks.selectors import visible
from cloud.networks.services.changing import save_changes

# Called with who asks, the server and the port, in the transaction that deletes it.
Detach = Callable[[RequestContext, str, str], bool]
_detachers: list[Detach] = []


def register(detach: Detach) -> None:
    """Name who has servers let go of ports; it returns whether there is a server that must."""
    if detach not in _detachers:
        _detachers.append(detach)


def begin(context: RequestContext, port_id: str) -> bool:
    """Have the server that a port belongs to let go of it; return whether there is one, so that the row must stay.

    Call it before the port is locked: the server's row comes first.
    """
    rows = visible.ports(context).filter(id=port_id, position__gte=0)
    owner = rows.values_list("device_id", flat=True).first()
    return owner is not None and any(detach(context, owner, port_id) for detach in _detachers)


def keep(port: Port) -> None:
    """Let a locked port be gone for everybody but its host."""
    port.security_groups.clear()
    save_changes(port, {"is_leaving": True})
