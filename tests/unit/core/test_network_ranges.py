"""Settings of what carries networks."""

import pytest

from cloud.config.network_ranges import read_physical_networks, read_range


def test_names_have_the_vlans_that_they_name_or_all():
    assert read_physical_networks("lan, dc:100:199") == {"lan": (1, 4094), "dc": (100, 199)}
    assert read_physical_networks("") == {}


@pytest.mark.parametrize("text", ["", "5", "0:5", "6:5", "1:4095", "a:b", "1:2:3", "-1:4"])
def test_no_range(text):
    with pytest.raises(ValueError, match="is no range"):
        read_range(text, 4094)


@pytest.mark.parametrize("text", ["lan,lan", ":1:2", "n" * 65])
def test_no_name(text):
    with pytest.raises(ValueError, match="needs a name"):
        read_physical_networks(text)
