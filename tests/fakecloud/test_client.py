"""The stock command line against fake hosts: a server's life, and what operators read."""

import pytest

from tests.fixtures.clouds import CommandFailed, wait_until


def test_up_made_a_first_server(cloud):
    assert {"first": "ACTIVE"}.items() <= {row["Name"]: row["Status"] for row in cloud.show("server", "list")}.items()


def test_a_servers_life(cloud):
    made = cloud.show("server", "create", "--image", "tiny", "--flavor", "m1.tiny", "--network", "demo", "--wait", "s1")
    assert made["status"] == "ACTIVE"
    for verb, status in (("stop", "SHUTOFF"), ("start", "ACTIVE"), ("reboot", "ACTIVE")):
        cloud.openstack("server", verb, "s1")
        cloud.wait_settled(made["id"], status, 90)
    cloud.openstack("server", "reboot", "--hard", "--wait", "s1")
    events = [row["Action"] for row in cloud.show("server", "event", "list", "s1")]
    assert sorted(events) == ["create", "reboot", "reboot", "start", "stop"]
    shown = cloud.manage("server_show", "s1")
    assert "reboot  succeeded" in shown
    assert "✔ spawn_server" in shown
    cloud.openstack("server", "delete", "--wait", "s1")
    assert "s1" not in {row["Name"] for row in cloud.show("server", "list")}
    with pytest.raises(CommandFailed, match="s1"):
        cloud.show("server", "show", "s1")


def test_up_made_a_network_outside_that_the_sdk_finds_for_a_server(cloud):
    assert cloud.show("network", "show", "public")["router:external"] in (True, "External")
    connection = cloud.connect()
    connection.create_server("reached", image="tiny", flavor="m1.tiny", network="demo", wait=True)
    assert [one.floating_ip_address for one in connection.network.ips()] == [connection.get_server("reached").public_v4]
    connection.delete_server("reached", wait=True, delete_ips=True)
    assert not list(connection.network.ips())


def test_operators_see_the_hosts(cloud):
    services = cloud.show("compute", "service", "list", "--service", "nova-compute", cloud="novella-admin")
    assert [row["State"] for row in services] == ["up"] * 20
    assert len(cloud.show("hypervisor", "list", cloud="novella-admin")) == 20
    said = cloud.manage("cloud_status")
    assert "Hosts: 20; 20 up, 0 down, 0 disabled" in said
    assert "conductor" in cloud.host("status")


def test_a_disabled_host_gets_no_servers(cloud):
    names = [row["Host"] for row in cloud.show("compute", "service", "list", "--service", "nova-compute",
                                               cloud="novella-admin")]
    spared = names[0]
    cloud.manage("in_turn", *(f"host_disable {name} --reason 'a test'" for name in names[1:]))
    try:
        cloud.openstack("server", "create", "--image", "tiny", "--flavor", "m1.tiny", "--network", "demo", "--wait",
                        "--min", "4", "--max", "4", "only")
        listed = cloud.show("server", "list", "--long", "--name", "^only", cloud="novella-admin")
        listed = listed or cloud.show("server", "list", "--long", "--all-projects", "--name", "^only",
                                      cloud="novella-admin")
        assert {row["Host"] for row in listed} == {spared}
    finally:
        cloud.manage("in_turn", *(f"host_enable {name}" for name in names[1:]))
    cloud.openstack("server", "delete", "--wait", *(row["ID"] for row in listed), cloud="novella-admin")


def test_nothing_is_wrong_with_the_cloud(cloud):
    wait_until(lambda: cloud.audit() == "", "the audit to be content", 120)
