"""A host whose disk is full: its servers go elsewhere, or say why not, and nothing of them is left on it."""

import pytest

from tests.fixtures.clouds import wait_until

FULL = "h2"
# Less than a server needs: a lock, a record, a folder, a disk, a console, metadata, a lease.
SOME_FILES = 4


@pytest.fixture
def disk(lab, small_disk):
    wait_until(lambda: not list(lab.connect("novella-admin").compute.servers(all_projects=True)), "no server to be")
    yield small_disk
    small_disk.make_room()
    compute = lab.connect("novella-admin").compute
    for one in compute.servers():
        compute.delete_server(one.id)
    wait_until(lambda: not list(compute.servers()), "the servers to be gone")


def is_said_full(lab, disk):
    """Whether a host says so; what it removed of its own since the last look is filled again."""
    disk.leave(files=0)
    return troubles(lab)


def troubles(lab):
    return [line for line in lab.manage("cloud_status").splitlines() if "the disk is full" in line]


def create(lab, name, **more):
    admin = lab.connect("novella-admin")
    server = admin.compute.create_server(
        name=name, image_id=admin.image.find_image("tiny").id, flavor_id=admin.compute.find_flavor("small").id,
        networks=[{"uuid": admin.network.find_network("lab").id}], **more,
    )  # fmt: skip
    return server.id


def test_a_disk_that_fills_up_amid_builds_costs_no_server_and_keeps_nothing_of_them(lab, disk):
    compute = lab.connect("novella-admin").compute
    disk.leave(files=SOME_FILES)
    fixed = create(lab, "fixed", availability_zone=f"nova:{FULL}")
    fault = lab.settled(fixed, "ERROR").fault
    assert "The host ran out of disk space." in fault["message"]
    assert f"{FULL} (HostDiskFull: " in fault["details"]
    create(lab, "spread", min_count=3, max_count=3)
    servers = [one.id for one in compute.servers() if one.name.startswith("spread")]
    assert len(servers) == 3
    for uuid in servers:
        lab.settled(uuid, "ACTIVE")
        assert lab.host_of(uuid) != FULL
    for uuid in (fixed, *servers):
        wait_until(lambda uuid=uuid: not lab.holdings(FULL, uuid), f"{FULL} to hold nothing of {uuid}")


def test_a_host_that_is_full_says_so_and_gets_no_servers_until_it_has_room(lab, disk):
    wait_until(lambda: is_said_full(lab, disk), "the host to say that it is full")
    fault = lab.settled(create(lab, "fixed", availability_zone=f"nova:{FULL}"), "ERROR").fault
    assert "No valid host was found." in fault["message"]
    assert "a full disk" in fault["details"]
    disk.make_room()
    wait_until(lambda: not troubles(lab), "the host to say that it has room")
    lab.settled(create(lab, "fits", availability_zone=f"nova:{FULL}"), "ACTIVE")
