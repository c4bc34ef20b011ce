"""The main job as a person types it: from `make up` to a guest's banner and away again, nothing left behind."""

import json
import re
import subprocess
from pathlib import Path

import psutil
import pytest

from compute_agent.network.names import Mark
from tests.fixtures.clouds import CommandFailed, wait_until
from tests.fixtures.lab import link_alias

USER_DATA = "#!/bin/sh\necho USERDATA-$(hostname)-RAN\n"
BANNER = re.compile(r"### READY (?P<host>\S+) addr=(?P<address>\S+) metadata=(?P<source>\S+)")


def test_up_shows_the_first_guests_banner(cloud):
    assert "The server first is ACTIVE" in cloud.first_output
    assert BANNER.search(cloud.first_output), cloud.first_output
    assert "login:" in cloud.first_output


def test_a_second_up_changes_nothing(cloud):
    before = cloud.openstack("server", "list", "-f", "json")
    assert "nothing to do" in cloud.host("up")
    assert cloud.openstack("server", "list", "-f", "json") == before


def test_the_first_guest_read_its_metadata_over_http(cloud):
    console = cloud.openstack("console", "log", "show", "first")
    assert BANNER.search(console)["source"] == "http"


def test_token_catalog_and_projects(cloud):
    assert cloud.show("token", "issue")["project_id"]
    types = {entry["Type"] for entry in cloud.show("catalog", "list")}
    assert {"identity", "compute", "image", "network", "placement"} <= types
    assert {"demo", "admin"} <= {row["Name"] for row in cloud.show("project", "list", cloud="novella-admin")}


def test_an_image_goes_up_and_comes_back(cloud, tmp_path):
    source = cloud.state_dir / "guest" / "tiny.qcow2"
    made = cloud.show("image", "create", "--disk-format", "qcow2", "--container-format", "bare", "--file", str(source),
                      "again")
    assert made["status"] in ("active", "queued", "saving")
    assert "again" in {row["Name"] for row in cloud.show("image", "list")}
    cloud.openstack("image", "save", "--file", str(tmp_path / "back"), "again")
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    cloud.openstack("image", "delete", "again")


def test_flavors_and_keypairs(cloud, tmp_path):
    cloud.openstack("flavor", "create", "--ram", "128", "--vcpus", "1", "--disk", "1", "extra", cloud="novella-admin")
    assert cloud.show("flavor", "show", "extra")["ram"] == 128
    assert "extra" in {row["Name"] for row in cloud.show("flavor", "list")}
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "k")], check=True)
    cloud.openstack("keypair", "create", "--public-key", str(tmp_path / "k.pub"), "k")
    assert cloud.show("keypair", "show", "k")["name"] == "k"
    assert "k" in {row["Name"] for row in cloud.show("keypair", "list")}


def test_networks(cloud):
    cloud.openstack("network", "create", "second")
    cloud.openstack("subnet", "create", "--network", "second", "--subnet-range", "10.20.0.0/24", "second")
    assert cloud.show("port", "list")


@pytest.fixture(scope="module")
def server(cloud, tmp_path_factory):
    """The server of the session, with everything that a person gives it."""
    user_data = tmp_path_factory.mktemp("user-data") / "script"
    user_data.write_text(USER_DATA)
    made = cloud.show(
        "server", "create", "--flavor", "m1.tiny", "--image", "tiny", "--network", "demo", "--key-name", "k",
        "--user-data", str(user_data), "--config-drive", "True", "--property", "a=b", "--wait", "s1",
    )
    assert made["status"] == "ACTIVE"
    return made


def test_the_guest_boots_to_its_banner_with_address_and_metadata(cloud, server):
    def banner():
        return BANNER.search(cloud.connect().compute.get_server_console_output(server["id"])["output"])

    found = wait_until(banner, "the banner of s1", 300)
    shown = cloud.show("server", "show", "s1")
    address = shown["addresses"]["demo"][0]
    assert found["host"] == "s1"
    assert address in found["address"]
    assert found["source"] == "config-drive"
    console = cloud.openstack("console", "log", "show", "s1")
    assert "USERDATA-s1-RAN" in console
    assert shown["properties"] in ({"a": "b"}, "a='b'")


def test_the_network_reaches_the_guest_once_a_rule_lets_it(cloud, server):
    address = cloud.show("server", "show", "s1")["addresses"]["demo"][0]
    assert not _answers(address)
    cloud.openstack("security", "group", "rule", "create", "--protocol", "icmp", "default")
    wait_until(lambda: _answers(address), "an answer of s1 to a ping", 60)


def test_a_floating_ip_is_reached_from_the_machine_as_long_as_it_leads_to_the_guest(cloud, server):
    """As the README says, after the rule that the last test has made."""
    address = cloud.show("floating", "ip", "create", "public")["floating_ip_address"]
    cloud.openstack("server", "add", "floating", "ip", "s1", address)
    wait_until(lambda: _is_reached(address), f"an answer of s1 at {address}", 60)
    cloud.openstack("server", "remove", "floating", "ip", "s1", address)
    wait_until(lambda: not _is_reached(address), f"silence at {address}", 60)
    cloud.openstack("floating", "ip", "delete", address)


def _is_reached(address: str) -> bool:
    return subprocess.run(["busybox", "ping", "-c", "1", "-W", "1", address], check=False).returncode == 0


def _answers(address: str) -> bool:
    """Ask from where networks have their gateways on the host: namespaces of their own, or of routers."""
    namespaces = [path.name for kind in ("nnet-*", "nrtr-*") for path in Path("/run/netns").glob(kind)]
    assert namespaces, "each network has a namespace on the host"
    pings = [
        subprocess.run(["ip", "netns", "exec", name, "busybox", "ping", "-c", "2", "-W", "3", address], check=False)
        for name in namespaces
    ]
    return 0 in [ping.returncode for ping in pings]


def test_power_actions_and_events(cloud, server):
    for action, status in (("stop", "SHUTOFF"), ("start", "ACTIVE"), ("reboot", "ACTIVE")):
        cloud.openstack("server", action, "s1")
        cloud.wait_settled(server["id"], status, 240)
    actions = [row["Action"] for row in cloud.show("server", "event", "list", "s1")]
    assert {"create", "stop", "start", "reboot"} <= set(actions)


def test_operator_commands(cloud):
    hypervisor = cloud.show("hypervisor", "list", cloud="novella-admin")[0]
    assert hypervisor["State"] == "up"
    assert cloud.show("hypervisor", "show", hypervisor["Hypervisor Hostname"], cloud="novella-admin")
    assert cloud.show("compute", "service", "list", cloud="novella-admin")
    assert cloud.show("host", "list", cloud="novella-admin")
    assert "nova" in {row["Zone Name"] for row in cloud.show("availability", "zone", "list")}
    limits = {row["Name"]: row["Value"] for row in cloud.show("limits", "show", "--absolute")}
    assert limits["instances_used"] == 2
    assert cloud.show("resource", "provider", "list", cloud="novella-admin")


@pytest.mark.parametrize(("arguments", "says"), [
    (("server", "show", "nobody"), "No "),
    (("server", "create", "--flavor", "m1.tiny", "--image", "tiny", "--network", "nowhere", "x"), "nowhere"),
    (("server", "create", "--flavor", "nothing", "--image", "tiny", "--network", "demo", "x"), "nothing"),
    (("flavor", "create", "--ram", "64", "mine"), "403"),
    (("server", "stop", "nobody"), "No "),
])
def test_bad_input_is_answered_with_a_sentence(cloud, arguments, says):
    with pytest.raises(CommandFailed) as failure:
        cloud.openstack(*arguments)
    assert says in str(failure.value)
    assert "Traceback" not in str(failure.value)


def test_a_flavor_larger_than_any_host_ends_in_error_with_counts(cloud):
    cloud.openstack("flavor", "create", "--ram", "40000000", "--disk", "1", "huge", cloud="novella-admin")
    cloud.openstack("quota", "set", "--ram", "-1", cloud.connect().current_project_id, cloud="novella-admin")
    with pytest.raises(CommandFailed):
        cloud.openstack("server", "create", "--flavor", "huge", "--image", "tiny", "--network", "demo", "--wait", "big")
    shown = cloud.show("server", "show", "big")
    assert shown["status"] == "ERROR"
    assert "No valid host" in json.dumps(shown["fault"])
    assert "memory" in json.dumps(shown["fault"])
    cloud.openstack("server", "delete", "--wait", "big")


def test_the_sdk_creates_and_deletes(cloud):
    connection = cloud.connect()
    server = connection.create_server("sdk", image="tiny", flavor="m1.tiny", network="demo", wait=True)
    assert server.status == "ACTIVE"
    assert [one.floating_ip_address for one in connection.network.ips()] == [connection.get_server("sdk").public_v4]
    assert connection.delete_server("sdk", wait=True, delete_ips=True)
    assert not list(connection.network.ips())


def test_a_killed_agent_comes_back_and_its_guest_never_stopped(cloud, server):
    guests = _guests(cloud)
    for process in psutil.process_iter(["cmdline", "environ"]):
        if "compute_agent" in (process.info["cmdline"] or []) and _is_of(cloud, process):
            process.kill()
    assert _guests(cloud) == guests
    cloud.openstack("server", "stop", "s1")
    cloud.wait_settled(server["id"], "SHUTOFF", 240)


def _guests(cloud):
    return {process.pid for process in psutil.process_iter(["name", "cmdline"])
            if (process.info["name"] or "").startswith("qemu-system")
            and any(str(cloud.state_dir) in word for word in process.info["cmdline"] or [])}


def _is_of(cloud, process):
    return (process.info["environ"] or {}).get("NOVELLA_STATE_DIR") == str(cloud.state_dir)


def test_deleted_means_nothing_is_left(cloud, server):
    for name in ("s1", "first"):
        cloud.openstack("server", "delete", "--wait", name)
    assert cloud.show("server", "list") == []
    ports = cloud.show("port", "list", "--long")
    assert {row["Device Owner"] for row in ports} <= {"network:router_interface"}, "of the demo's router"
    wait_until(lambda: not _residue(cloud), "the host to be empty", 120)
    wait_until(lambda: cloud.audit() == "", "the audit to be content", 120)


def _residue(cloud):
    disks = [str(path) for path in (cloud.state_dir / "instances").glob("*")]
    metadata = list((cloud.state_dir / "metadata").rglob("*.json"))
    return _links(cloud, "ntap") + disks + list(_guests(cloud)) + metadata


def _links(cloud, *kinds):
    """Return the links that are not another installation's."""
    own = Mark.of(cloud.state_dir).alias_prefix
    links = {name: link_alias(name) for name in psutil.net_if_addrs() if name.startswith(kinds)}
    return [name for name, alias in links.items() if alias.startswith(own) or not alias.startswith("novella:")]


def test_down_leaves_nothing_of_ours(cloud):
    cloud.host("down")
    assert not _residue(cloud)
    ours = [process for process in psutil.process_iter(["environ"]) if _is_of(cloud, process)
            and process.pid != psutil.Process().pid]
    assert ours == []
    mounts = Path("/proc/mounts").read_text()
    own = Mark.of(cloud.state_dir)
    assert not [word for word in (str(cloud.state_dir), str(cloud.settings.runtime_dir), own.digest) if word in mounts]
    for command in (["ip", "netns", "list"], ["nft", "list", "tables"]):
        named = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert own.digest not in named
    # What another installation is making has no alias yet.
    wait_until(lambda: not _links(cloud, "nbr", "ntap", "nup"), "the links to be gone", 60)
