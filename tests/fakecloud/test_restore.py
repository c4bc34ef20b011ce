"""The stock command line with a cloud that keeps deleted servers for a while."""

import pytest

from tests.fixtures.clouds import CommandFailed, LocalCloud, wait_until


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    """One fake host, and a day to change one's mind."""
    one = LocalCloud(tmp_path_factory.mktemp("keeping"), "fake", NOVELLA_RECLAIM_INSTANCE_INTERVAL="86400")
    try:
        one.host("up")
        yield one
    finally:
        one.end()


def names(cloud, *options, who="novella"):
    return {row["Name"] for row in cloud.show("server", "list", *options, cloud=who)}


def test_a_deleted_server_comes_back_and_a_forced_delete_is_for_good(cloud):
    uuid = cloud.show("server", "create", "--image", "tiny", "--flavor", "m1.tiny", "--network", "demo", "--wait",
                      "mine")["id"]
    cloud.openstack("server", "delete", "mine")
    cloud.wait_settled(uuid, "SOFT_DELETED", 90)
    assert "mine" not in names(cloud)
    assert "mine" in names(cloud, "--deleted", "--all-projects", who="novella-admin")
    cloud.openstack("server", "restore", uuid)
    cloud.wait_settled(uuid, "ACTIVE", 90)
    assert cloud.show("server", "show", uuid)["status"] == "ACTIVE"
    events = [row["Action"] for row in cloud.show("server", "event", "list", uuid)]
    assert sorted(events) == ["create", "delete", "restore"]
    cloud.openstack("server", "delete", "--force", "--wait", "mine")
    with pytest.raises(CommandFailed, match="mine"):
        cloud.show("server", "show", "mine")
    wait_until(lambda: cloud.audit() == "", "the audit to be content", 120)
