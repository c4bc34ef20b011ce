"""What `make up` says before it starts anything."""

import socket

import pytest

from contracts.blank_image import blank_qcow2
from contracts.image_format import inspect_header
from host import checks, demo
from host.environment import (
    agent_environment,
    generated,
    process_environment,
    read_environment,
    write_environment,
)
from host.processes import supervisor_configuration, wanted_processes
from host.settings import SettingsError, read_settings


def settings_of(tmp_path, **environment):
    return read_settings({"NOVELLA_STATE_DIR": str(tmp_path), "HYPERVISOR": "fake", **environment})


@pytest.mark.parametrize("environment", [
    {"HYPERVISOR": "xen"}, {"HOSTS": "0"}, {"HOSTS": "many"}, {"PORT": "70000"}, {"PORT": "-1"},
    {"HYPERVISOR": "libvirt", "HOSTS": "2"}, {"NOVELLA_PHYSICAL_NETWORKS": "lan:eth 1"},
])
def test_a_setting_that_cannot_be_meant_is_refused_by_name(tmp_path, environment):
    with pytest.raises(SettingsError) as refusal:
        settings_of(tmp_path, **environment)
    assert any(name in str(refusal.value) for name in environment)


@pytest.mark.parametrize("hypervisor", ["libvirt", "fake"])
def test_a_machine_that_is_alone_is_the_outside_unless_somebody_names_another(tmp_path, hypervisor):
    settings = settings_of(tmp_path, HYPERVISOR=hypervisor)
    for values in (process_environment(settings), agent_environment(settings)):
        assert values["NOVELLA_PHYSICAL_NETWORKS"] == "public:host"
    assert demo.is_outside(settings)
    for named in ("lan:eth1", "public:eth1"):
        other = settings_of(tmp_path, HYPERVISOR=hypervisor, NOVELLA_PHYSICAL_NETWORKS=named)
        assert agent_environment(other)["NOVELLA_PHYSICAL_NETWORKS"] == named
        assert not demo.is_outside(other)


def test_a_taken_port_is_named_with_the_way_out(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sentences = checks.complaints(settings_of(tmp_path, PORT=str(port)))
    assert [one for one in sentences if str(port) in one and f"make up PORT={port + 1}" in one]


def test_short_memory_disk_and_missing_programs_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "MINIMUM_MEMORY_MB", 10**9)
    monkeypatch.setattr(checks, "MINIMUM_DISK_MB", 10**12)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(checks, "SYSTEM_PATHS", "/nowhere")
    text = " ".join(checks.complaints(settings_of(tmp_path)))
    assert "memory" in text
    assert "disk" in text
    assert "redis-server is missing" in text


def test_passwords_are_generated_once_and_kept_private(tmp_path):
    settings = settings_of(tmp_path)
    assert generated(settings, "redis") == generated(settings, "redis") != generated(settings, "flower")
    write_environment(settings)
    assert settings.environment_file.stat().st_mode & 0o077 == 0
    assert generated(settings, "redis") in read_environment(settings.environment_file)["REDIS_URL"]


def test_no_password_stands_in_a_command_line(tmp_path):
    settings = settings_of(tmp_path)
    for process in wanted_processes(settings):
        for name in ("redis", "flower"):
            assert generated(settings, name) not in " ".join(process.command(settings))


def test_a_port_that_nobody_chose_reaches_flower_as_a_number(tmp_path):
    assert 'FLOWER_PORT="5555"' in supervisor_configuration(settings_of(tmp_path, FLOWER_PORT=""))


def test_the_supervisor_keeps_what_the_settings_call_for(tmp_path):
    own = supervisor_configuration(settings_of(tmp_path))
    assert "[program:redis]" in own
    assert "[program:agents]" in own
    assert "[program:libvirtd]" not in own
    foreign = supervisor_configuration(settings_of(tmp_path, REDIS_URL="redis://elsewhere/0"))
    assert "[program:redis]" not in foreign


def test_the_api_has_the_processors_for_itself_and_the_conductor_until_it_answers(tmp_path):
    settings = settings_of(tmp_path)
    texts = (supervisor_configuration(settings, first_only=only) for only in (True, False))
    first, all_of_them = ({line for line in text.splitlines() if line.startswith("[program:")} for text in texts)
    assert first == {"[program:redis]", "[program:api]", "[program:conductor]"}
    assert all_of_them == first | {f"[program:{name}]" for name in ("scheduler", "agents", "beat", "flower")}


def test_the_blank_image_is_a_valid_disk():
    facts = inspect_header(blank_qcow2(2**26), "qcow2")
    assert facts.virtual_size_bytes == 2**26
