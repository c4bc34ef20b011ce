"""Which connections a router may not carry on: those under an address that does not stand for their end any more."""

from compute_agent.network.connections import Connection
from compute_agent.network.routers.rules import own_address
from contracts.networks import RouterSpec


def is_over(spec: RouterSpec, one: Connection) -> bool:
    """Whether the connection is translated otherwise than the router would translate it now."""
    leads_to = {floating.floating_address: floating.fixed_address for floating in spec.floating_ips}
    if one.destination != one.answered_by and leads_to.get(one.destination) != one.answered_by:
        return True
    if one.source == one.answered_to:
        return False
    if one.answered_to == own_address(spec):
        return not spec.has_snat and one.destination == one.answered_by
    return leads_to.get(one.answered_to) != one.source
