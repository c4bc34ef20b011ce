"""How many statements the important requests may take, whatever their number of rows, so that it cannot creep up.

The token's check is among them nowhere: it takes none (tests/functional/identity/test_tokens.py).
"""

from typing import Any

import pytest
from django.db import connection

from cloud.compute import states
from cloud.compute.models import Instance
from cloud.networks.models import Network, Subnet
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image, make_instance
from tests.fixtures.statements import statements
from tests.functional.compute.conftest import MINE, Api
from tests.functional.compute.hosts import make_host

NEWEST = "2.104"
ROWS = 5

# Who asks, what, and how many statements it takes. Savepoints and the frame of a transaction are not counted.
READS = [
    ("member", "/servers", 1),
    ("member", "/servers?limit=2&marker={server}", 2),
    ("member", "/servers?status=ACTIVE&name=s&tags=blue", 1),
    ("member", "/servers/detail", 5),
    ("admin", "/servers/detail?all_tenants=1", 6),
    ("member", "/servers/{server}", 6),
    ("member", "/servers/{server}/os-instance-actions", 2),
    ("member", "/servers/{server}/ips", 3),
    ("member", "/flavors/detail", 1),
    ("member", "/limits", 2),
    ("admin", "/os-hypervisors/detail", 4),
    ("admin", "/os-hypervisors?limit=2", 4),
    ("admin", "/os-services", 2),
]
# PostgreSQL is asked for its clock, and for a lock on the rows of the quota, which SQLite has with its one writer.
CREATE = {"sqlite": 10, "postgresql": 12}
DELETE = {"sqlite": 8, "postgresql": 9}


def asked(ask: Any) -> list[str]:
    with statements() as found:
        answer = ask()
    assert answer.status_code < 300, answer.content
    return found


@pytest.fixture
def servers(member) -> list[Instance]:
    hosts = [make_host(f"h{number}").host for number in range(ROWS)]
    settled = {"project_id": MINE, "vm_state": states.ACTIVE, "task_state": ""}
    return [make_instance(host=host, **settled) for host in hosts]


@pytest.mark.parametrize(("who", "path", "count"), READS)
def test_reads(who, path, count, servers):
    url = path.format(server=servers[0].uuid)
    api = Api(who, NEWEST if "/ips" in path else "2.87")
    found = asked(lambda: api.get(url))
    assert len(found) == count, "\n".join(found)


@pytest.fixture
def body(member) -> dict[str, Any]:
    make_flavor()
    network = Network.objects.create(name="n", project_id=MINE)
    Subnet.objects.create(
        network=network, project_id=MINE, cidr="10.0.0.0/24",
        allocation_pools=[{"start": "10.0.0.2", "end": "10.0.0.250"}],
    )  # fmt: skip
    return {"name": "s", "flavorRef": "1", "imageRef": make_image().id, "networks": [{"uuid": network.id}]}


@pytest.mark.parametrize("count", [1, 9])
def test_a_create_takes_as_many_statements_for_nine_servers_as_for_one(member, body, count):
    member.at(NEWEST).post("/servers", {"server": body})  # the first of a project makes the rows of its quota
    many = {"server": {**body, "min_count": count, "max_count": count}}
    found = asked(lambda: member.at(NEWEST).post("/servers", many))
    assert len(found) == CREATE[connection.vendor], "\n".join(found)


def test_a_delete(member, servers):
    found = asked(lambda: member.delete(f"/servers/{servers[0].uuid}"))
    assert len(found) == DELETE[connection.vendor], "\n".join(found)


@pytest.mark.parametrize(
    ("who", "path"),
    [("member", "/servers"), ("member", "/servers?marker={server}"), ("admin", "/servers?all_tenants=1")],
)
def test_lists_are_read_in_the_order_of_an_index(who, path, servers):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL reads so few rows in whatever order, and sorts them")
    *_, sql = asked(lambda: Api(who).get(path.format(server=servers[2].uuid)))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = " ".join(row[-1] for row in cursor.fetchall())
    assert "living" in plan, plan
    assert "TEMP B-TREE" not in plan, plan
