"""The environment is read once and judged once."""

import pytest

from compute_agent.settings import BadSettings, Settings


def test_fake_hosts_share_one_process_and_read_two_queues_each():
    settings = Settings.from_environment({"NOVELLA_HYPERVISOR": "fake", "NOVELLA_HOSTS": "20"})
    assert settings.hosts[0] == "fake-001"
    assert settings.hosts[-1] == "fake-020"
    assert len(settings.queues) == 40
    assert settings.queues[0] == "compute.fake-001"
    assert "compute.fake-020.slow" in settings.queues


def test_lane_of_a_real_host_is_its_own_process():
    settings = Settings.from_environment({"NOVELLA_HOST": "h1", "NOVELLA_LANES": "slow"})
    assert settings.queues == ("compute.h1.slow",)
    assert not settings.is_reporting
    assert settings.threads == 2


@pytest.mark.parametrize(
    "environ",
    [
        {"NOVELLA_HYPERVISOR": "xen"},
        {"NOVELLA_LANES": "fast,fast"},
        {"NOVELLA_LANES": ""},
        {"NOVELLA_HOST": "a b"},
        {"NOVELLA_HOSTS": "none"},
        {"NOVELLA_THREADS": "0"},
        {"NOVELLA_VIRT_TYPE": "xen"},
        {"NOVELLA_LOG_LEVEL": "LOUD"},
        {"NOVELLA_ECHO_SECONDS": "nan"},
        {"NOVELLA_FAKE_INVENTORY": "gpus=1"},
        {"NOVELLA_FAKE_DELAYS": "start"},
    ],
)
def test_bad_value_names_its_variable(environ):
    with pytest.raises(BadSettings, match=next(iter(environ))):
        Settings.from_environment(environ)


def test_ways_out_of_the_host_are_read():
    settings = Settings.from_environment(
        {"NOVELLA_TUNNEL_IP": " 2001:DB8::1", "NOVELLA_PHYSICAL_NETWORKS": "lan:eth1,far,dc:eth2:1:9"}
    )
    assert (settings.tunnel_ip, settings.wires) == ("2001:db8::1", {"lan": "eth1", "dc": "eth2"})
    assert Settings.from_environment({}).tunnel_ip == ""


@pytest.mark.parametrize(("name", "value"), [
    ("NOVELLA_TUNNEL_IP", "host.example"), ("NOVELLA_TUNNEL_IP", "127.0.0.1"), ("NOVELLA_TUNNEL_IP", "ff02::1"),
    ("NOVELLA_PHYSICAL_NETWORKS", "lan:eth 1"), ("NOVELLA_PHYSICAL_NETWORKS", "lan:" + "n" * 16),
])  # fmt: skip
def test_ways_out_that_cannot_be_are_refused(name, value):
    with pytest.raises(BadSettings, match=name):
        Settings.from_environment({name: value})
