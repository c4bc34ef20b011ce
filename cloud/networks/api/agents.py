"""Network agents: the hosts, which wire their guests themselves. GET 200.

They are shown and not changed: whether a host takes new servers is for the compute service to say.

Source: https://docs.openstack.org/api-ref/network/v2/#agents
"""

from datetime import datetime

from cloud.core import policy
from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.networks.api.collection import Body
from cloud.networks.errors import AgentNotFound, BadRequest
from cloud.networks.selectors.agents import NetworkAgent, agents
from cloud.networks.selectors.filters import boolean

_TRUTHS = ("alive", "admin_state_up")
_TEXTS = ("id", "host", "agent_type", "binary", "availability_zone", "topic")
_TYPE = "Linux bridge agent"


def _time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else None


def view(agent: NetworkAgent) -> Body:
    """Return an agent's body."""
    return {
        "id": agent.id,
        "agent_type": _TYPE,
        "binary": "compute_agent",
        "host": agent.host,
        "topic": f"compute.{agent.host}",
        "availability_zone": agent.zone,
        "alive": agent.is_alive,
        "admin_state_up": agent.is_up,
        "description": "",
        "configurations": {},
        "resources_synced": None,
        "created_at": _time(agent.created_at),
        "started_at": _time(agent.started_at),
        "heartbeat_timestamp": _time(agent.last_seen_at),
    }


def found(agent_id: str) -> NetworkAgent:
    """Return an agent. Raises AgentNotFound."""
    for one in agents():
        if one.id == agent_id:
            return one
    raise AgentNotFound(agent_id=agent_id)


@endpoint("get_agents")
def index(request: ApiRequest) -> Body:
    """List agents. Whoever may not see one finds none."""
    if not policy.allows(request.context, "get_agent"):
        return {"agents": []}
    views = [view(one) for one in agents()]
    for name, values in request.query.lists():
        if name in _TRUTHS:
            wanted: set[object] = {boolean(name, value) for value in values}
        elif name in _TEXTS:
            wanted = set(values)
        elif name == "fields":
            continue
        else:
            raise BadRequest(f"{[name]} is invalid attribute for filtering")
        views = [one for one in views if one[name] in wanted]
    fields = request.query.getlist("fields")
    return {"agents": [{name: one[name] for name in one if not fields or name in fields} for one in views]}


@endpoint("get_agent")
def show(request: ApiRequest, agent_id: str) -> Body:
    """Show an agent."""
    return {"agent": view(found(agent_id))}


ROUTES = [
    route("/v2.0/agents", GET=index),
    route("/v2.0/agents/<str:agent_id>", GET=show),
]
