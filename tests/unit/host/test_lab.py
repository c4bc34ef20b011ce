"""What a lab is made of, before anything of it runs."""

import asyncio
import ipaddress
import socket

import pytest

from host.environment import agent_environment, generated, process_environment, write_environment
from host.lab import cable, wires
from host.lab.commands import LabError, main
from host.lab.settings import cable_ports, machine_names, machine_settings
from host.processes import supervisor_configuration
from host.settings import SettingsError, read_settings

_CONTROL = ("DATABASE", "REDIS", "FLOWER", "DJANGO")


@pytest.fixture
def settings(tmp_path):
    return read_settings({"NOVELLA_STATE_DIR": str(tmp_path), "HYPERVISOR": "lab"})


def test_a_lab_has_three_hosts_unless_told_otherwise(settings, tmp_path):
    assert machine_names(settings) == ["h1", "h2", "h3"]
    five = read_settings({"NOVELLA_STATE_DIR": str(tmp_path), "HYPERVISOR": "lab", "HOSTS": "5"})
    assert machine_names(five)[-1] == "h5"
    with pytest.raises(SettingsError, match="HOSTS"):
        read_settings({"HYPERVISOR": "lab", "HOSTS": "17"})


def test_a_cloud_without_a_lab_has_none_of_its_hosts(tmp_path):
    one = read_settings({"NOVELLA_STATE_DIR": str(tmp_path), "HYPERVISOR": "libvirt"})
    assert machine_names(one) == []
    assert "[program:h1]" not in supervisor_configuration(one)


def test_the_supervisor_outside_keeps_hosts_and_no_agent(settings):
    text = supervisor_configuration(settings)
    assert "[program:h3]" in text
    assert "[program:api]" in text
    assert "[program:agent]" not in text
    assert "[program:libvirtd]" not in text


def test_the_supervisor_inside_keeps_libvirtd_both_lanes_and_metadata_alone(settings):
    text = supervisor_configuration(machine_settings(settings, "h2"))
    programs = [line for line in text.splitlines() if line.startswith("[program:")]
    assert programs == ["[program:libvirtd]", "[program:agent]", "[program:agent-slow]", "[program:metadata]"]


def test_a_host_gets_no_database_and_no_password_but_that_of_its_credential(settings):
    values = agent_environment(machine_settings(settings, "h2"))
    assert values["NOVELLA_HOST"] == "h2"
    assert values["NOVELLA_STATE_DIR"] == str(settings.state_dir / "lab" / "h2")
    assert values["NOVELLA_CREDENTIAL_FILE"] == str(settings.state_dir / "lab" / "h2" / "credential")
    assert not [name for name, value in values.items() if value and name.startswith(_CONTROL)]
    assert generated(settings, "redis") not in supervisor_configuration(machine_settings(settings, "h2"))


def test_the_outside_is_a_wire_of_all_hosts_where_the_machine_is_the_gateway(settings, tmp_path):
    assert process_environment(settings)["NOVELLA_PHYSICAL_NETWORKS"] == "public"
    assert agent_environment(machine_settings(settings, "h2"))["NOVELLA_PHYSICAL_NETWORKS"] == "public:ext0"
    one = wires.outside(settings)
    assert one.ip == one.network[1]
    assert one.network.subnet_of(ipaddress.IPv4Network("198.19.0.0/16"))
    found = {
        wires.outside(read_settings({"NOVELLA_STATE_DIR": str(tmp_path / str(number)), "HYPERVISOR": "lab"})).network
        for number in range(20)
    }
    assert len(found) > 10


def test_hosts_share_neither_sockets_nor_folders(settings):
    machines = [machine_settings(settings, name) for name in machine_names(settings)]
    assert len({one.runtime_dir for one in (settings, *machines)}) == 4
    assert len({one.state_dir for one in (settings, *machines)}) == 4


def test_a_broker_that_no_cable_leads_to_is_refused(tmp_path):
    far = {"NOVELLA_STATE_DIR": str(tmp_path), "HYPERVISOR": "lab", "REDIS_URL": "redis://10.0.0.1/0"}
    with pytest.raises(SettingsError, match="REDIS_URL"):
        cable_ports(read_settings(far))


def test_the_environment_is_private(settings):
    write_environment(settings)
    assert settings.environment_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("arguments", [["cut"], ["explode", "h1"], ["cut", "h1", "h2"], []])
def test_a_command_that_cannot_be_meant_is_answered_with_those_that_can(settings, arguments):
    with pytest.raises(LabError, match="usage"):
        main(settings, arguments)


def test_a_lab_that_does_not_run_says_how_to_start_it(settings):
    with pytest.raises(LabError, match="make lab"):
        main(settings, ["kill", "h1"])


def test_what_goes_in_at_one_end_of_the_cable_comes_out_at_the_other():
    async def talk() -> tuple[bytes, bytes]:
        async def shout(reader, writer):
            writer.write((await reader.read()).upper())
            writer.close()

        far = await asyncio.start_server(shout, "127.0.0.1", 0)
        port = far.sockets[0].getsockname()[1]
        near = socket.create_server(("127.0.0.2", port))  # as if it were another namespace's loopback
        [server] = await cable.plug_in([near])
        answered = await _ask(port)
        far.close()
        unanswered = await _ask(port)
        server.close()
        return answered, unanswered

    assert asyncio.run(talk()) == (b"HELLO", b"")


async def _ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.2", port)
    writer.write(b"hello")
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer
