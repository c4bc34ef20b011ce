"""What the control plane pays for networks: `python -m bench.network_costs`, in the environment of a seeded cloud.

Prints figures as JSON on the last line, and before them what a host is told: its whole document, and what one more
rule changes of it.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import msgspec
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.network_seeding import project_id
from bench.report import milliseconds
from bench.seeding import host_name

_TIMES = 15


def measure(folder: Path) -> dict[str, Any]:
    """Return the figures; leave `whole.json` and `rule.json` in the folder."""
    from cloud.core.context import RequestContext  # noqa: PLC0415 - Django must be set up
    from cloud.networks.models import SecurityGroup, SecurityGroupRule  # noqa: PLC0415
    from cloud.networks.services import changes, rules  # noqa: PLC0415
    from cloud.networks.services.host_documents import difference, document  # noqa: PLC0415
    from contracts.networks import PARTS, digest  # noqa: PLC0415

    host, project = host_name(0), project_id(0, 0)
    context = RequestContext("bench", "u" * 32, project_id=project, roles=frozenset({"admin"}))
    group = SecurityGroup.objects.get(project_id=project)
    ports = iter(range(1, 60_000))

    def one_more() -> None:
        port = next(ports)
        rule = {"security_group_id": group.id, "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp"}
        rules.create_rules(context, [{**rule, "port_range_min": port, "port_range_max": port}])

    whole = document(host)
    known = {part: {key: digest(entry) for key, entry in getattr(whole, part).items()} for part in PARTS}
    (folder / "whole.json").write_bytes(msgspec.json.encode(whole))
    figures = {
        "whole": {**_cost(lambda: msgspec.json.encode(document(host))), "bytes": _size(whole)},
        "nothing_new": _cost(lambda: msgspec.json.encode(difference(document(host), known))),
        "rule": {**_cost(one_more), "hosts_told": len(changes.HOSTS_OF["group"]([group.id]))},
    }
    SecurityGroupRule.objects.filter(group=group, port_range_min__gt=1).delete()
    changed = difference(document(host), known)
    (folder / "rule.json").write_bytes(msgspec.json.encode(changed))
    figures["changed"] = {
        **_cost(lambda: msgspec.json.encode(difference(document(host), known))), "bytes": _size(changed),
    }  # fmt: skip
    return figures


def _size(entries: Any) -> int:
    return len(msgspec.json.encode(entries))


def _cost(work: Callable[[], object]) -> dict[str, Any]:
    times, cpu = [], []
    for _ in range(_TIMES):
        began, used = time.perf_counter(), time.process_time()
        work()
        times.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    with CaptureQueriesContext(connection) as queries:
        work()
    return {
        "p50_ms": milliseconds(statistics.median(times)), "cpu_ms": milliseconds(statistics.median(cpu)),
        "statements": len(queries),
    }  # fmt: skip


if __name__ == "__main__":
    django.setup()
    print(json.dumps(measure(Path(sys.argv[1]))))
