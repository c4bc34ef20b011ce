"""From a finding to its mending on a real host: what somebody broke by hand is named, and what is printed mends it."""

import json
import shlex

import pytest

from contracts.compute import NetworkSpec, PortSpec
from tests.fixtures.clouds import CommandFailed, wait_until
from tests.fixtures.vandal import Vandal
from tests.unit.compute_agent.orders import server_spec

# What is taken away from a guest that runs -> the part that the doctor finds, and the verbs that it may name for it: a
# host that has told of its guest's end by then leaves another thing to do, or nothing.
LOSSES = {
    "rules": ("firewall", {"plug"}),
    "dhcp": ("dhcp", {"plug"}),
    "tap": ("tap", {"restart"}),
    "power": ("guest", {"power", ""}),
    "domain": ("guest", {"restart", "define"}),
    "root": ("disk", {"rebuild"}),
}

# What is changed in the books -> the part, and the command.
SLIPS = {
    "Allocation.objects.filter(consumer_uuid=uuid).delete()": ("claim", "server_mend {uuid} claim"),
    "Port.objects.filter(device_id=uuid).update(host='elsewhere')": ("port", "server_mend {uuid} ports"),
}  # fmt: skip
_SHELL = """
from cloud.networks.models import Port
from cloud.placement.models import Allocation
uuid = {uuid!r}
{slip}
"""


class Patient:
    """A server with a real guest, and somebody who breaks it."""

    def __init__(self, cloud):
        self._cloud = cloud
        made = cloud.show(
            "server", "create", "--flavor", "m1.tiny", "--image", "tiny", "--network", "demo", "--wait", "patient"
        )
        self.uuid = made["id"]
        uri = f"qemu+unix:///system?socket={cloud.settings.runtime_dir}/libvirt/libvirt-sock"
        self._vandal = Vandal(cloud.state_dir, uri)

    @property
    def _spec(self):
        admin = self._cloud.connect("novella-admin")
        server = admin.compute.get_server(self.uuid)
        (found,) = admin.network.ports(device_id=self.uuid)
        port = PortSpec(id=found.id, mac_address=found.mac_address, network=NetworkSpec(id=found.network_id))
        return server_spec(uuid=self.uuid, name=server.instance_name, ports=[port])

    def lose(self, what):
        """Take something away on the host while the guest runs."""
        if self._is("SHUTOFF"):
            self._cloud.openstack("server", "start", "patient")
            wait_until(lambda: self._is("ACTIVE"), "the guest to run again", 240)
        getattr(self._vandal, what)(self._spec)

    def _is(self, status):
        server = self._cloud.connect().compute.get_server(self.uuid)
        return server.status == status and server.task_state is None

    def slip(self, line):
        """Change the books behind everybody's back."""
        self._cloud.manage("shell", "-c", _SHELL.format(uuid=self.uuid, slip=line))

    def wrong(self):
        """Return the commands of what the doctor finds, by part."""
        try:
            printed = self._cloud.manage("doctor", "server", "patient", "--format", "json")
        except CommandFailed as findings:
            printed = str(findings).split("\n", 1)[1].rsplit("\n", 1)[0]
        checks = json.loads(printed)["checks"]
        return {one["part"].split(" ")[0]: one["command"] for one in checks if one["verdict"] in ("wrong", "busy")}

    def mend(self, command):
        """Type what was printed."""
        self._cloud.manage(*shlex.split(command)[1:])

    def is_well(self):
        """Whether the doctor finds nothing, and neither does the audit."""
        return not self._cloud.audit() and not self.wrong()


@pytest.fixture(scope="module")
def patient(cloud):
    one = Patient(cloud)
    wait_until(one.is_well, "the new server to be well", 240)
    yield one
    cloud.openstack("server", "delete", "--wait", "patient")


def heal(patient, what):
    """Type what the doctor prints until it prints nothing; one command may bring the next to light."""
    def is_mended():
        commands = dict.fromkeys(patient.wrong().values())
        for command in filter(None, commands):
            patient.mend(command)
        return not commands and patient.is_well()

    wait_until(is_mended, f"the server without its {what} to be well again", 300)


@pytest.mark.parametrize("what", LOSSES)
def test_what_was_taken_from_a_guest_is_found_and_mended(patient, what):
    part, verbs = LOSSES[what]
    for _ in range(2):  # once a minute an agent mends its networks by itself, which may be before anybody looks
        patient.lose(what)
        found = patient.wrong().get(part, "").removeprefix(f"manage.py server_mend {patient.uuid} ")
        if found in verbs:
            break
    assert found in verbs
    heal(patient, what)


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_the_books_is_found_and_mended(patient, slip):
    part, command = SLIPS[slip]
    patient.slip(slip)
    assert patient.wrong()[part] == f"manage.py {command.format(uuid=patient.uuid)}"
    heal(patient, part)
