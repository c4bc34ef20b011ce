"""Which limits a host is told for its ports, and when it is told of other ones."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cloud.networks.models import BandwidthLimit, Network, Port, QosPolicy
from cloud.networks.models.device_owners import ROUTER_INTERFACE
from cloud.networks.services import changes, host_documents
from cloud.networks.services.plugging import make_port
from contracts.networks import LimitSpec

pytestmark = pytest.mark.django_db
URL = "/network/v2.0"


@pytest.fixture
def network(make_network) -> Network:
    return make_network()


@pytest.fixture
def plug(network):
    """Return a function that makes a port on a host."""

    def make(host: str = "a", policy: QosPolicy | None = None, **columns) -> Port:
        return make_port(Port(network=network, project_id="p1", host=host, qos_policy=policy, **columns), None, [])

    return make


def policy_with(**limits: tuple[int, int]) -> QosPolicy:
    """Return a policy with limits in kbit/s and kbit by their direction."""
    policy = QosPolicy.objects.create(project_id="p1", name="slow")
    for direction, (rate, burst) in limits.items():
        BandwidthLimit.objects.create(policy=policy, direction=direction, max_kbps=rate, max_burst_kbps=burst)
    return policy


def put_on(network: Network, policy: QosPolicy | None) -> None:
    Network.objects.filter(id=network.id).update(qos_policy=policy)


def test_a_port_has_its_own_policys_limits_or_its_networks(network, plug):
    put_on(network, policy_with(ingress=(300, 0)))
    own = plug(policy=policy_with(ingress=(100, 7), egress=(200, 0)))
    free, plain, routers = plug(policy=policy_with()), plug(), plug(device_owner=ROUTER_INTERFACE)
    elsewhere = plug("b")
    limits = host_documents.document("a").limits
    assert limits == {
        own.id: LimitSpec(ingress_kbps=100, ingress_burst_kb=7, egress_kbps=200), plain.id: LimitSpec(ingress_kbps=300),
    }  # fmt: skip
    assert not limits.keys() & {free.id, routers.id, elsewhere.id}


def test_without_policies_nothing_is_asked_and_with_them_one_query_for_any_number(network, plug):
    plug()
    assert limit_queries() == 0
    put_on(network, policy_with(ingress=(300, 0)))
    for _ in range(3):
        plug(policy=policy_with(egress=(1, 0)))
    assert limit_queries() == 1


def limit_queries() -> int:
    with CaptureQueriesContext(connection) as seen:
        host_documents.document("a")
    return sum(BandwidthLimit._meta.db_table in one["sql"] for one in seen)


def wanted() -> set[str]:
    return set(changes.take())


def test_hosts_hear_of_another_rule_another_policy_of_a_port_and_of_a_network(api, network, plug):
    slow, other = policy_with(egress=(1_000, 0)), policy_with()
    QosPolicy.objects.update(shared=True)
    port = plug("a", slow)
    plug("b")
    plug("c", other)
    changes.take()
    rules = f"{URL}/qos/policies/{slow.id}/bandwidth_limit_rules"
    body = {"bandwidth_limit_rule": {"max_kbps": 5, "direction": "ingress"}}
    made = api.post(rules, body, token="admin").json()["bandwidth_limit_rule"]["id"]
    assert wanted() == {"a"}
    api.put(f"{rules}/{made}", {"bandwidth_limit_rule": {"max_kbps": 6}}, token="admin")
    assert wanted() == {"a"}
    api.put(f"{URL}/networks/{network.id}", {"network": {"qos_policy_id": slow.id}}, token="admin")
    assert wanted() == {"a", "b", "c"}
    api.delete(f"{rules}/{made}", token="admin")
    assert wanted() == {"a", "b"}  # c's port has a policy of its own
    assert api.put(f"{URL}/ports/{port.id}", {"port": {"qos_policy_id": other.id}}, token="admin").status_code == 200
    assert wanted() == {"a"}
    put_on(network, None)
    api.put(f"{URL}/networks/{network.id}", {"network": {"name": "x"}}, token="admin")
    assert wanted() == set()
