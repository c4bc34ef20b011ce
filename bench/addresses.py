"""More ports than a /22 has addresses, made by four processes at once: none is given twice, none is left over."""

import json
from typing import Any

from bench.report import milliseconds
from bench.stage import Stage, stage

_MAKERS = 4
_PORTS = 260
_ADDRESSES = 1021
_NETWORK = """
from cloud.networks.models import Network, Subnet
from cloud.networks.services.quotas import set_limits
network = Network.objects.create(project_id="p" * 32, name="full")
Subnet.objects.create(network=network, project_id="p" * 32, cidr="10.0.0.0/22", gateway_ip="10.0.0.1",
                      allocation_pools=[{"start": "10.0.0.2", "end": "10.0.3.254"}])
set_limits("p" * 32, {"port": -1})
print(network.id)
"""
_COUNTS = """
from cloud.networks.models import FixedIp, Port
addresses = list(FixedIp.objects.values_list("ip_address", flat=True))
print(len(addresses), len(set(addresses)), Port.objects.count())
"""


def measure(database: str) -> dict[str, Any]:
    """Return how fast the network fills up."""
    with stage(database) as here:
        network = here.run("manage.py", "shell", "-v", "0", "-c", _NETWORK).split()[-1]
        done = _fill(here, network)
        counts = here.run("manage.py", "shell", "-v", "0", "-c", _COUNTS).split()
    assert counts == [str(_ADDRESSES)] * 3, f"addresses, distinct ones, ports: {counts}"
    made, full = sum(one["made"] for one in done), sum(one["full"] for one in done)
    assert (made, full) == (_ADDRESSES, _MAKERS * _PORTS - _ADDRESSES)
    return {
        "ports_per_second": round(made / max(one["seconds"] for one in done), 1),
        "cpu_ms_per_port": milliseconds(sum(one["cpu_seconds"] for one in done) / made),
        "refused_when_full": full,
    }


def _fill(here: Stage, network: str) -> list[dict[str, Any]]:
    makers = [here.start("-m", "bench.port_maker", network, str(_PORTS)) for _ in range(_MAKERS)]
    return [json.loads(text.splitlines()[-1]) for text in _answers(makers)]


def _answers(makers: list[Any]) -> list[str]:
    for one in makers:
        one.stdin.write("\n")
        one.stdin.flush()
    return [one.communicate()[0] for one in makers]
