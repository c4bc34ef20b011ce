"""Extra DHCP options of ports over HTTP: nothing that is not asked for by its name and form gets in."""

import pytest

from cloud.networks.models import Port

pytestmark = pytest.mark.django_db
URL = "/network/v2.0/ports"


@pytest.mark.parametrize("option", [
    {"opt_name": "bootfile-name", "opt_value": "pxe\ndhcp-script=/bin/sh"},
    {"opt_name": "bootfile-name\n", "opt_value": "x"},
    {"opt_name": "bootfile-name", "opt_value": "a b"},
    {"opt_name": "log-facility", "opt_value": "/etc/passwd"},
    {"opt_name": "tftp-server", "opt_value": "nobody"},
    {"opt_name": "tftp-server", "opt_value": "10.0.0.9", "ip_version": 6},
    {"opt_name": "mtu", "opt_value": "67"},
    {"opt_name": "domain-name", "opt_value": "a,b"},
    {"opt_name": "mtu"},
    {"opt_value": "1"},
])
def test_a_dhcp_option_of_another_form_is_refused(api, make_network, option):
    body = {"port": {"network_id": make_network().id, "extra_dhcp_opts": [option]}}
    refused = api.post(URL, body)
    assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (400, "HTTPBadRequest")
    assert not Port.objects.exists()


def test_dhcp_options_are_set_one_by_one_and_removed(api, make_network):
    boot = {"opt_name": "bootfile-name", "opt_value": "pxelinux.0", "ip_version": 4}
    server = {"opt_name": "tftp-server", "opt_value": "10.0.0.9", "ip_version": 4}
    port = api.post(URL, {"port": {"network_id": make_network().id, "extra_dhcp_opts": [boot]}}).json()["port"]
    assert port["extra_dhcp_opts"] == [boot]
    url = f"{URL}/{port['id']}"
    assert api.put(url, {"port": {"extra_dhcp_opts": [server]}}).json()["port"]["extra_dhcp_opts"] == [boot, server]
    gone = {"port": {"extra_dhcp_opts": [{"opt_name": "bootfile-name", "opt_value": None}]}}
    assert api.put(url, gone).json()["port"]["extra_dhcp_opts"] == [server]
    assert api.put(url, {"port": {"extra_dhcp_opts": [server, server]}}).status_code == 400


def test_a_dhcp_option_without_a_version_takes_addresses_of_both(api, make_network):
    options = [
        {"opt_name": "tftp-server", "opt_value": "2001:db8::9"},
        {"opt_name": "server-ip-address", "opt_value": "10.0.0.9"},
    ]
    made = api.post(URL, {"port": {"network_id": make_network().id, "extra_dhcp_opts": options}})
    assert made.status_code == 201
    assert made.json()["port"]["extra_dhcp_opts"] == [{**one, "ip_version": 4} for one in options]
