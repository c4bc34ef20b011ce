"""The doctor finds every difference that is sown between the books and a host, and what it prints mends it."""

import json
import shlex
import signal
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F

from cloud.compute.models import ComputeNode, Instance, InstanceTag, Operation, Service, Step
from cloud.compute.services import step_rows
from cloud.compute.states import machine
from cloud.conductor.doctor import asking
from cloud.core.clock import database_now
from cloud.core.models import new_uuid
from cloud.identity.models import QuotaUsage
from cloud.networks.models import HostNetworkState, Network, Port, Router, Subnet
from cloud.placement.models import Allocation, Inventory, ResourceProvider
from compute_agent.bootstrap import build_agent
from compute_agent.observations import residue
from compute_agent.settings import FakeSettings, Settings
from contracts.compute import FixedIpSpec, NetworkSpec, PortSpec
from tests.factories.instances import PROJECT, make_host, make_image
from tests.fixtures.workers import Workers


@pytest.fixture(scope="module")
def network(workers):
    one = Network.objects.create(name="net", project_id=PROJECT)
    Subnet.objects.create(
        network=one, project_id=PROJECT, cidr="10.0.0.0/24", gateway_ip="10.0.0.1",
        allocation_pools=[{"start": "10.0.0.2", "end": "10.0.0.254"}],
    )  # fmt: skip
    Subnet.objects.create(
        network=one, project_id=PROJECT, cidr="fd00:6::/64", ip_version=6, ipv6_ra_mode="dhcpv6-stateful",
        ipv6_address_mode="dhcpv6-stateful", allocation_pools=[{"start": "fd00:6::2", "end": "fd00:6::ffff"}],
    )  # fmt: skip
    return one


@dataclass
class Patient:
    """A server that runs, and where to lay hands on it."""

    ward: Workers
    row: Instance
    network: Network

    @property
    def uuid(self) -> str:
        return self.row.uuid

    @property
    def other_name(self) -> str:
        return next(name for name in self.ward.hosts if name != self.row.host)

    @contextmanager
    def hosts(self):
        """Lay hands on what the server's host and another have, while their agent is away."""
        self.ward.end("agent", signal.SIGKILL)
        settings = Settings(
            state_dir=self.ward.state_dir, redis_url=self.ward.redis.url, hosts=tuple(self.ward.hosts),
            hypervisor="fake", fake=FakeSettings(hosts=3, vcpus=4, memory_mb=8704, disk_gb=100),
        )  # fmt: skip
        stations = build_agent(settings).stations
        yield stations[self.row.host].host, stations[self.other_name].host
        since = database_now()
        self.ward.start("agent")
        self.ward.wait(self.are_heard(since))

    def are_heard(self, since):
        """Whether an agent has come up since then: whoever asks a host before waits for that as well."""
        rows = Service.objects.filter(host__in=self.ward.hosts, started_at__gt=since)
        return lambda: rows.count() == len(self.ward.hosts)

    @property
    def port(self) -> Port:
        return Port.objects.get(device_id=self.uuid)

    def change(self, **columns) -> None:
        Instance.objects.filter(pk=self.row.pk).update(**columns)

    def stop(self) -> None:
        self.ward.act(self.row, "stop", "stop")
        self.ward.wait_for(self.row, "stopped")

    def strand(self, **columns) -> Operation:
        """A stop that was recorded and never sent."""
        with transaction.atomic():
            machine.fire(Instance.objects.filter(pk=self.row.pk), "stop", updated_at=database_now())
            now = database_now()
            values = {
                "instance_uuid": self.uuid, "project_id": PROJECT, "request_id": f"req-{new_uuid()}", "action": "stop",
                "workflow": "stop", "host": self.row.host, "started_at": now, "updated_at": now,
                "resend_at": now + timedelta(minutes=5), "deadline": now + timedelta(minutes=9),
            }  # fmt: skip
            operation = Operation.objects.create(**{**values, **columns})
            step_rows.plan([operation], now)
        return operation

    def spec(self, host):
        return host.driver._shelf.domains[self.uuid].spec

    def redefine(self, **changes) -> None:
        with self.hosts() as (host, _):
            host.driver.define(replace(self.spec(host), **changes))

    def undefine(self) -> None:
        with self.hosts() as (host, _):
            host.driver.undefine(self.uuid)

    def storage(self, verb: str, *arguments: str) -> None:
        with self.hosts() as (host, _):
            getattr(host.storage, verb)(self.uuid, *arguments)

    def report(self, host) -> None:
        """Let a host have said last what lies on it; what it says by itself from now on comes too late."""
        later = database_now() + timedelta(hours=1)
        ComputeNode.objects.filter(host=host.name).update(residue=residue(host).to_wire(), residue_at=later)

    def copy_to_other(self) -> None:
        with self.hosts() as (host, other):
            other.driver.define(self.spec(host))
            self.report(other)

    def be_elsewhere(self, *, aside: bool = False) -> None:
        """As after the books were restored from a backup that is older than a move."""
        with self.hosts() as (host, other):
            kind, place = ("asides", "_asides") if aside else ("disks", "_disks")
            other.storage._put(kind, getattr(other.storage, place), self.uuid, host.storage._disks[self.uuid])
            if not aside:
                other.driver.define(self.spec(host))
                other.driver.start(self.uuid)
            host.driver.undefine(self.uuid)
            host.storage.delete_disks(self.uuid)
            self.report(host)
            self.report(other)

    def leave_aside(self, *, here: bool) -> None:
        with self.hosts() as (host, other):
            place = host if here else other
            disks = host.storage._disks[self.uuid]
            place.storage._put("asides", place.storage._asides, self.uuid, disks)
            self.report(place)

    def plug_stray(self) -> None:
        stray = PortSpec(
            id=new_uuid(), mac_address="fa:16:3e:00:00:99", network=NetworkSpec(id=self.network.id),
            fixed_ips=[FixedIpSpec(subnet_id="", ip_address="10.0.9.99")],
        )  # fmt: skip
        with self.hosts() as (host, _):
            host.network.plug(self.uuid, [stray], {}, "")

    def lose(self, part: str) -> None:
        with self.hosts() as (host, _):
            host.network.lose(self.uuid, self.port.id, part)


@pytest.fixture
def patient(workers, network):
    ward = workers
    (row,) = ward.create(
        image_ref=make_image().id, config_drive=True,
        network_request={"requests": [{"network_id": network.id}], "security_groups": []},
    )  # fmt: skip
    one = Patient(ward, ward.wait_for(row, "active"), network)
    yield one
    ComputeNode.objects.update(residue_at=None)
    Instance.objects.filter(pk=one.row.pk, task_state="deleting").update(task_state="")
    one.row.refresh_from_db()
    if not one.row.deleted:
        ward.delete(one.row)
        ward.wait(lambda: Instance.objects.filter(pk=one.row.pk, deleted=True).exists())


def doctor(capsys, uuid: str) -> tuple[int, list[dict]]:
    """Return the exit status and the lines."""
    capsys.readouterr()
    status = 0
    try:
        call_command("doctor", "server", uuid, format="json")
    except SystemExit as end:
        status = end.code
    return status, json.loads(capsys.readouterr().out)["checks"]


def wrong(checks: list[dict]) -> dict[str, str]:
    """Return the commands of what is wrong, by part."""
    return {one["part"].split(" ")[0]: one["command"] for one in checks if one["verdict"] == "wrong"}


def deleted_with(patient: Patient) -> None:
    patient.ward.delete(patient.row)
    patient.ward.wait(lambda: Instance.objects.filter(pk=patient.row.pk, deleted=True).exists())


def sow_leftovers(patient: Patient) -> None:
    deleted_with(patient)
    InstanceTag.objects.create(instance_uuid=patient.uuid, tag="t")


def sow_ghost(patient: Patient) -> None:
    with patient.hosts() as (host, _):
        spec = patient.spec(host)
    deleted_with(patient)
    with patient.hosts() as (host, _):
        host.driver.define(spec)
        patient.report(host)


def later():
    """A time after which no report of a power state is heard."""
    return database_now() + timedelta(hours=1)


def two_stops(patient: Patient) -> None:
    patient.strand(started_at=database_now() - timedelta(seconds=9))
    with transaction.atomic():
        patient.change(task_state="")
        patient.strand(deadline=database_now() - timedelta(minutes=1))


def hold_elsewhere(patient: Patient) -> None:
    other = ResourceProvider.objects.get(name=patient.other_name)
    Allocation.objects.filter(consumer_uuid=patient.uuid).update(provider=other)


def book_too_much(patient: Patient) -> None:
    Inventory.objects.filter(provider__name=patient.row.host, resource_class="VCPU").update(used=3)


# name -> (the part that is found, the verb that is named, how it is sown)
SEEDS = {
    "a state that nothing ends": ("state", "settle", lambda p: p.change(task_state="powering-off")),
    "a delete that nobody carries out": ("state", "settle", lambda p: p.change(task_state="deleting")),
    "a build that nobody carries out": (
        "state", "settle", lambda p: p.change(vm_state="building", task_state="spawning")
    ),
    "an error": ("state", "restart", lambda p: p.change(vm_state="error")),
    "an operation that nobody sends": ("operation", "resend", lambda p: p.strand(resend_at=None)),
    "an operation that is late": (
        "operation", "end", lambda p: p.strand(deadline=database_now() - timedelta(minutes=5))
    ),
    "two operations at once": ("operation", "end", two_stops),
    "a step that is never closed": (
        "operation", "close",
        lambda p: Step.objects.filter(operation__instance_uuid=p.uuid, name="spawn_server").update(state="sent"),
    ),
    "an operation without an end": (
        "operation", "close", lambda p: Operation.objects.filter(instance_uuid=p.uuid).update(finished_at=None)
    ),
    "no claim": ("claim", "claim", lambda p: Allocation.objects.filter(consumer_uuid=p.uuid).delete()),
    "a claim elsewhere": ("claim", "claim", hold_elsewhere),
    "a claim of another size": (
        "claim", "claim",
        lambda p: Allocation.objects.filter(consumer_uuid=p.uuid, resource_class="VCPU").update(used=2),
    ),
    "wrong books of the host": ("host's", "recount", book_too_much),
    "a wrong quota": (
        "quota", "recount", lambda p: QuotaUsage.objects.filter(project_id=PROJECT, resource="cores").update(in_use=7)
    ),
    "a port bound elsewhere": (
        "port", "ports", lambda p: Port.objects.filter(device_id=p.uuid).update(host=p.other_name)
    ),
    "a port that is down": ("port", "ports", lambda p: Port.objects.filter(device_id=p.uuid).update(status="DOWN")),
    "leftovers of a deleted server": ("leftovers", "ports", sow_leftovers),
    "no guest": ("guest", "restart", Patient.undefine),
    "no guest of a stopped server": ("guest", "define", lambda p: (p.stop(), p.undefine())),
    "a guest that runs and should not": ("guest", "power", lambda p: p.change(vm_state="stopped", updated_at=later())),
    "a guest of another size": ("guest's", "restart", lambda p: p.redefine(vcpus=2)),
    "a guest without its network": ("guest's", "restart", lambda p: p.redefine(interfaces=())),
    "no disk": ("disk", "rebuild", lambda p: p.storage("lose_disk", "disk")),
    "a disk without its image": (
        "disk", "rebuild", lambda p: p.storage("spoil_disk", "disk", "its image is not in the cache")
    ),
    "no config drive": ("disk.config", "restart", lambda p: p.storage("lose_disk", "disk.config")),
    "disks aside": ("disk", "take-back", lambda p: p.storage("set_aside")),
    "disks aside as well": ("aside", "drop-aside", lambda p: p.leave_aside(here=True)),
    "no tap": ("tap", "restart", lambda p: p.lose("tap")),
    "no tap of a stopped server": ("tap", "plug", lambda p: (p.stop(), p.lose("tap"))),
    "no firewall": ("firewall", "plug", lambda p: p.lose("rules")),
    "no lease": ("lease", "plug", lambda p: p.lose("lease")),
    "no DHCPv6": ("dhcpv6", "plug", lambda p: p.lose("lease_ipv6")),
    "no limit": ("limits", "plug", lambda p: p.lose("limit")),
    "no metadata": ("metadata", "plug", lambda p: p.lose("metadata")),
    "no DHCP server": ("dhcp", "plug", lambda p: p.lose("server")),
    "a tap that is not its": ("tap", "unplug", Patient.plug_stray),
    "a guest on another host": ("on", "sweep", Patient.copy_to_other),
    "disks aside on another host": ("on", "sweep", lambda p: p.leave_aside(here=False)),
    "its disks on another host": ("disks", "adopt", Patient.be_elsewhere),
    "its disks aside on another host alone": ("disks", "adopt", lambda p: p.be_elsewhere(aside=True)),
    "a guest of a deleted server": ("on", "sweep", sow_ghost),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEDS)
def test_a_difference_is_found_and_mended_by_what_is_printed(name, patient, capsys):
    status, checks = doctor(capsys, patient.uuid)
    assert status == 0, checks
    part, verb, sow = SEEDS[name]
    sow(patient)
    status, checks = doctor(capsys, patient.uuid)
    found = wrong(checks)
    assert status == 1
    assert part in found, checks
    assert verb in found[part].split(), found
    for _ in range(3):  # one mending may bring to light what stood behind it
        for command in dict.fromkeys(found.values()):
            call_command(*shlex.split(command)[1:])
        status, checks = doctor(capsys, patient.uuid)
        found = wrong(checks)
        if not found:
            break
    assert (status, found) == (0, {}), checks


def test_a_host_that_is_away_is_said_to_be_and_its_last_report_is_used(patient, capsys, monkeypatch):
    monkeypatch.setattr(asking, "_SECONDS", 0.5)
    make_host("ghost")
    home = patient.row.host
    said = {"domains": [patient.uuid], "disks": [], "tap_port_ids": [patient.port.id]}
    ComputeNode.objects.filter(host="ghost").update(residue=said, residue_at=database_now() - timedelta(minutes=7))
    patient.change(host="ghost")
    try:
        status, checks = doctor(capsys, patient.uuid)
    finally:
        patient.change(host=home)
        Service.objects.filter(host="ghost").delete()
        ComputeNode.objects.filter(host="ghost").delete()
        ResourceProvider.objects.filter(name="ghost").delete()
    lines = {one["part"]: one for one in checks}
    assert status == 1
    assert lines["host"]["found"] == "ghost: no answer"
    assert "start the agent of ghost" in lines["host"]["command"]
    assert (lines["guest"]["found"], lines["guest"]["verdict"]) == ("there, by its report of 7 min ago", "ok")
    assert (lines["disks"]["found"], lines["disks"]["verdict"]) == ("missing, by its report of 7 min ago", "unknown")


def test_what_is_under_way_is_no_finding(patient, capsys):
    patient.strand()
    Port.objects.filter(device_id=patient.uuid).update(status="DOWN")
    patient.lose("rules")
    status, checks = doctor(capsys, patient.uuid)
    assert status == 0
    busy = {one["part"].split(" ")[0] for one in checks if one["verdict"] == "busy"}
    assert busy >= {"state", "operation", "firewall"}
    call_command("server_mend", patient.uuid, "resend")
    call_command("server_mend", patient.uuid, "plug")


def test_the_table_names_part_verdict_and_command(patient, capsys):
    patient.lose("rules")
    with pytest.raises(SystemExit):
        call_command("doctor", "server", patient.uuid)
    text = capsys.readouterr().out
    assert "command that mends" in text
    line = next(line for line in text.splitlines() if line.strip().startswith("firewall"))
    assert line.split("  ")[-1] == f"manage.py server_mend {patient.uuid} plug"
    assert text.rstrip().endswith("1 finding")
    call_command("server_mend", patient.uuid, "plug")
    capsys.readouterr()
    call_command("doctor", "server", patient.uuid)
    assert capsys.readouterr().out.rstrip().endswith("All is well.")


def test_a_host_is_looked_at_with_all_that_is_there(patient, capsys):
    host = patient.row.host
    with patient.hosts() as (station, _):  # what it reported before may name what an earlier test deleted
        patient.report(station)
    capsys.readouterr()
    call_command("doctor", "host", host)
    assert capsys.readouterr().out == "All is well with 1 server.\n"
    patient.plug_stray()
    with pytest.raises(SystemExit):
        call_command("doctor", "host", host)
    text = capsys.readouterr().out
    assert f"server_mend {patient.uuid} unplug" in text
    assert "firewall" not in text  # of many servers only what is wrong
    call_command("server_mend", patient.uuid, "unplug")
    capsys.readouterr()
    call_command("doctor", "host", host)


def test_what_the_books_do_not_know_is_found_and_removed_by_its_id(patient, capsys):
    """As after a database was restored from a backup: the guest was made after that."""
    stranger = new_uuid()
    with patient.hosts() as (host, _):
        host.driver.define(replace(patient.spec(host), uuid=stranger))
        patient.report(host)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        call_command("doctor", "host", patient.row.host, format="json")
    documents = {one["server"]: one["checks"] for one in json.loads(capsys.readouterr().out)}
    (command,) = wrong(documents[stranger]).values()
    assert command == f"manage.py server_mend {stranger} sweep --host {patient.row.host}"
    assert wrong(documents[patient.uuid]) == {}
    with pytest.raises(CommandError):
        call_command("server_mend", stranger, "sweep")  # where?
    call_command(*shlex.split(command)[1:])
    assert stranger not in patient.ward.domains()
    assert patient.uuid in patient.ward.domains()


@pytest.mark.parametrize(
    "command", [("doctor", "server", "nobody"), ("doctor", "host", "nowhere"), ("server_mend", "nobody", "plug")]
)
def test_a_server_that_does_not_exist_is_status_2(workers, command):
    with pytest.raises(CommandError) as error:
        call_command(*command)
    assert error.value.returncode == 2


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        ("resend", "no operation of the server is under way."), ("end", "no operation of the server is under way."),
        ("settle", "the server is active, and nothing moves it."), ("close", "all that ended is closed."),
        ("remember", "it is known how it was made."),
    ],
)  # fmt: skip
def test_where_nothing_was_to_be_done_that_is_said(patient, capsys, verb, sentence):
    capsys.readouterr()
    call_command("server_mend", patient.uuid, verb)
    assert capsys.readouterr().out == f"Nothing was to be done: {sentence}\n"


@pytest.mark.parametrize(
    ("verb", "words"),
    [("settle", ["operation is under way"]), ("sweep", ["at home on"])],
)
def test_what_would_do_harm_is_refused(patient, capsys, verb, words):
    operation = patient.strand()
    with pytest.raises(CommandError, match="|".join(words)):
        call_command("server_mend", patient.uuid, verb, host=patient.row.host)
    capsys.readouterr()
    call_command("server_mend", patient.uuid, "end", wait=0)
    assert "Nothing was to be done: stop still has 8 min" in capsys.readouterr().out
    operation.refresh_from_db()
    assert operation.state == "running"
    call_command("server_mend", patient.uuid, "resend")


TOLD = {"applied": F("wanted"), "error": ""}


def port_doctor(capsys, text: str, **told) -> tuple[int, dict[str, dict]]:
    """Return the exit status and the lines of a port by the first word of their parts.

    `told`: what the hosts say of their documents, without it that they have them. Nobody serves documents here, and
    hosts say so whenever they were told to fetch one; a doctor who read that is asked again.
    """
    unserved = HostNetworkState.objects.filter(error__contains="could not be fetched")
    while True:
        HostNetworkState.objects.update(**(told or TOLD))
        capsys.readouterr()
        status = 0
        try:
            call_command("doctor", "port", text, format="json")
        except SystemExit as end:
            status = end.code
        checks = json.loads(capsys.readouterr().out)["checks"]
        if not unserved.exists():
            break
    return status, {one["part"] if one["part"].startswith("packets") else one["part"].split(" ")[0]: one
                    for one in checks}


def test_a_port_is_followed_from_the_books_to_its_host(patient, capsys):
    port = patient.port
    patient.ward.wait(lambda: port_doctor(capsys, port.id)[0] == 0)
    for text in (port.id, port.id[:13], port.mac_address.upper()):
        status, lines = port_doctor(capsys, text)
        assert (status, lines["used"]["found"]) == (0, f"server {patient.row.display_name} {patient.uuid}")
    assert lines.keys() >= {"host", "switched", "addresses", "document", "groups", "tap", "firewall", "dhcp", "lease",
                            "metadata", "guest"}
    assert (lines["packets out"]["found"], lines["packets in"]["found"]) == ("pass by 2 rules", "pass by 2 rules")
    Port.objects.filter(pk=port.pk).update(admin_state_up=False)
    status, lines = port_doctor(capsys, port.id)
    assert (lines["switched"]["found"], lines["packets in"]["found"]) == (
        "port off, network on", "stop: it is switched off")


@pytest.mark.parametrize(("part", "verb", "sow"), [
    ("tap", "restart", lambda p: p.lose("tap")),
    ("firewall", "plug", lambda p: p.lose("rules")),
    ("lease", "plug", lambda p: p.lose("lease")),
    ("metadata", "plug", lambda p: p.lose("metadata")),
    ("dhcp", "plug", lambda p: p.lose("server")),
    ("host", "ports", lambda p: Port.objects.filter(device_id=p.uuid).update(host=p.other_name)),
])
def test_where_a_packet_would_stop_is_said_and_mended(patient, capsys, part, verb, sow):
    port_id = patient.port.id
    patient.ward.wait(lambda: port_doctor(capsys, port_id)[0] == 0)
    sow(patient)
    status, lines = port_doctor(capsys, port_id)
    assert (status, lines[part]["verdict"]) == (1, "wrong"), lines
    assert lines["packets in"]["found"].startswith(f"stop at {lines[part]['part']}: ")
    assert verb in lines[part]["command"].split()
    call_command(*shlex.split(lines[part]["command"])[1:])
    patient.ward.wait(lambda: port_doctor(capsys, port_id)[0] == 0)


def test_a_host_that_is_behind_with_its_networks_is_named(patient, capsys):
    port_id = patient.port.id
    patient.ward.wait(lambda: port_doctor(capsys, port_id)[0] == 0)
    status, lines = port_doctor(capsys, port_id, applied=7, error="the disk is full")
    assert (status, lines["document"]["command"]) == (1, f"manage.py host_networks {patient.row.host}")
    assert lines["packets out"]["found"] == "stop at document: version 7: the disk is full"


def test_ports_of_nobody_and_of_routers(network, capsys):
    plain = Port.objects.create(network=network, project_id=PROJECT, mac_address="fa:16:3e:00:00:01", name="twin")
    router = Router.objects.create(project_id=PROJECT, name="gate")
    leg = Port.objects.create(network=network, project_id=PROJECT, mac_address="fa:16:3e:00:00:02", name="twin",
                              router=router, device_owner="network:router_interface", device_id=router.id)
    try:
        assert port_doctor(capsys, plain.id)[0] == 0
        status, lines = port_doctor(capsys, leg.id)
        assert (status, lines["host"]["found"], lines["used"]["found"]) == (
            1, "none", "router gate, network:router_interface")
        for text in ("twin", "nothing of the kind"):
            with pytest.raises(CommandError) as refused:
                call_command("doctor", "port", text)
            assert refused.value.returncode == 2
    finally:
        Port.objects.filter(name="twin").delete()
        router.delete()
