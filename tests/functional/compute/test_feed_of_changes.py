"""Whatever an operator decides about hosts reaches the schedulers."""

import json

import pytest

from cloud.compute.models import Service
from contracts.scheduling import HOST_FEED
from tests.functional.compute.hosts import make_host


@pytest.fixture
def told(redis_server, settings, django_capture_on_commit_callbacks):
    """Run something and return what the feed then says of the hosts."""
    settings.REDIS_URL = redis_server.url
    client = redis_server.client()

    def run(act):
        client.delete(HOST_FEED)
        with django_capture_on_commit_callbacks(execute=True):
            answer = act()
        assert answer.status_code < 300, answer.content
        entries = client.xrange(HOST_FEED)
        return [(host["host"], host) for _, entry in entries for host in json.loads(entry["hosts"])], entries

    yield run
    client.close()


def test_disabled_and_forced_down_hosts(admin, told):
    make_host("one")
    target = {"host": "one", "binary": "nova-compute"}
    ((_, host),), _ = told(lambda: admin.put("/os-services/disable", target))
    assert host["is_enabled"] is False
    ((_, host),), _ = told(lambda: admin.at("2.11").put("/os-services/force-down", {**target, "forced_down": True}))
    assert host["is_up"] is False


def test_hosts_that_changed_their_zone(admin, told):
    make_host("one")
    made = admin.post("/os-aggregates", {"aggregate": {"name": "a", "availability_zone": "east"}}).json()["aggregate"]
    path = f"/os-aggregates/{made['id']}/action"
    ((_, host),), _ = told(lambda: admin.post(path, {"add_host": {"host": "one"}}))
    assert (host["availability_zone"], host["aggregate_ids"]) == ("east", [made["id"]])
    ((_, host),), _ = told(
        lambda: admin.post(path, {"set_metadata": {"metadata": {"availability_zone": "west"}}})
    )
    assert host["availability_zone"] == "west"
    ((_, host),), _ = told(lambda: admin.post(path, {"remove_host": {"host": "one"}}))
    assert host["availability_zone"] == "nova"


def test_forgotten_host_is_missing_from_a_full_list(admin, told):
    make_host("one")
    make_host("two")
    number = Service.objects.get(host="one").id
    hosts, ((_, entry),) = told(lambda: admin.delete(f"/os-services/{number}"))
    assert [name for name, _ in hosts] == ["two"]
    assert entry["full"] == "1"
