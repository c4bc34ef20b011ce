"""Settings of what carries networks."""

import pytest

from cloud.config.network_ranges import read_physical_networks, read_range
from contracts.physical_networks import interfaces


def test_names_have_the_vlans_that_they_name_or_all():
    assert read_physical_networks("lan, dc:100:199") == {"lan": (1, 4094), "dc": (100, 199)}
    assert read_physical_networks("") == {}
    # An interface is a host's matter: one variable does for both.
    assert read_physical_networks("lan:eth1,dc:eth2:100:199") == {"lan": (1, 4094), "dc": (100, 199)}


def test_a_host_is_connected_by_the_interfaces_that_are_named():
    assert interfaces("lan:eth1,dc:eth2.7:100:199,far,apart:1:9") == {"lan": "eth1", "dc": "eth2.7"}


@pytest.mark.parametrize("text", ["lan:eth1:5", "lan:eth1:9:5", "lan:7", "lan:a b", "lan:eth\n1", "lan:" + "n" * 16])
def test_no_network_outside(text):
    with pytest.raises(ValueError, match="lan"):
        interfaces(text)


@pytest.mark.parametrize("text", ["", "5", "0:5", "6:5", "1:4095", "a:b", "1:2:3", "-1:4"])
def test_no_range(text):
    with pytest.raises(ValueError, match="is no range"):
        read_range(text, 4094)


@pytest.mark.parametrize("text", ["lan,lan", ":1:2", "n" * 65])
def test_no_name(text):
    with pytest.raises(ValueError, match="needs a name"):
        read_physical_networks(text)
