"""One of several that make ports through the service: `python -m bench.port_maker NETWORK COUNT`, on a stage.

Begins when it reads a line. Prints what it did as JSON.
"""

import json
import sys
import time
from typing import Any

import django


def make_ports(network_id: str, count: int) -> dict[str, Any]:
    """Make so many ports, one after the other."""
    from cloud.core.context import RequestContext  # noqa: PLC0415 - Django must be set up
    from cloud.networks.errors import IpAddressGenerationFailure  # noqa: PLC0415
    from cloud.networks.models import Network  # noqa: PLC0415
    from cloud.networks.services.ports import create_ports  # noqa: PLC0415

    project = Network.objects.get(id=network_id).project_id
    context = RequestContext("req-x", "u" * 32, project_id=project, roles=frozenset({"member", "reader"}))
    sys.stdin.readline()
    began, cpu, made, full = time.perf_counter(), time.process_time(), 0, 0
    for _ in range(count):
        try:
            create_ports(context, [{"network_id": network_id, "project_id": project}])
            made += 1
        except IpAddressGenerationFailure:
            full += 1
    used = time.process_time() - cpu
    return {"made": made, "full": full, "seconds": time.perf_counter() - began, "cpu_seconds": used}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(make_ports(sys.argv[1], int(sys.argv[2]))))
