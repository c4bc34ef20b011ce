"""One lab of three real hosts for the whole folder; its files run in the order of their names."""

import os
import shutil
from pathlib import Path

import pytest

from tests.fixtures.clouds import CHECKOUT, wait_until
from tests.fixtures.lab import SCRIPT, SETTLE_SECONDS, Lab, machine_now
from tests.fixtures.small_disk import SmallDisk


@pytest.fixture(scope="session")
def small_disk(tmp_path_factory):
    """The disk of h2, which a test may have full."""
    if os.geteuid() != 0:
        pytest.skip("a lab needs root")
    disk = SmallDisk(tmp_path_factory.mktemp("lab") / "lab" / "h2")
    yield disk
    disk.remove()


@pytest.fixture(scope="session")
def before(small_disk):
    """What the machine had before the lab."""
    return machine_now()


@pytest.fixture(scope="session")
def lab(small_disk, before):
    """A lab that is up, with a network of the operators' project and two flavors; it is down at the end."""
    one = Lab(small_disk.folder.parents[1])
    built = CHECKOUT / "var" / "guest"
    if built.is_dir():
        shutil.copytree(built, one.state_dir / "guest")
    try:
        one.first_output = one.lab("up")
        wait_until(lambda: len(one.hosts_up()) == 3, "three hosts to report", SETTLE_SECONDS)
        _furnish(one)
        yield one
    finally:
        one.end()


def _furnish(lab):
    admin = lab.connect("novella-admin")
    network = admin.network.create_network(name="lab")
    admin.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.30.0.0/24")
    admin.compute.create_flavor(name="small", vcpus=1, ram=96, disk=1)
    admin.compute.create_flavor(name="large", vcpus=1, ram=128, disk=2)
    admin.compute.create_flavor(name="larger", vcpus=1, ram=160, disk=2)
    first = lab.connect().compute.find_server("first")
    lab.connect().compute.delete_server(first)


@pytest.fixture(scope="session")
def make_server(lab):
    """Return a function that makes a server on a host, and does not wait for its guest."""
    admin = lab.connect("novella-admin")

    def make(name: str, host: str) -> str:
        server = admin.create_server(
            name, image="tiny", flavor="small", network="lab", availability_zone=f"nova:{host}", userdata=SCRIPT,
            auto_ip=False, wait=True, timeout=SETTLE_SECONDS,
        )
        return server.id

    return make


@pytest.fixture(autouse=True)
def _show_logs(request, lab):
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        print(lab.logs())


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(1200))
