"""What a create request may ask of the network."""

from dataclasses import replace

import pytest

from cloud.core.models import new_uuid
from cloud.networks import errors
from cloud.networks.models import Network, NetworkQuota, Port, SecurityGroup
from cloud.networks.services.addresses import AddressWish
from cloud.networks.services.plugging import make_port
from cloud.networks.services.requests import check

pytestmark = pytest.mark.django_db


def test_without_a_network_there_is_no_interface(member):
    assert check(member, None, None) == {"mode": "auto", "requests": [], "security_groups": []}
    assert check(member, "none", None) == {"mode": "none", "requests": [], "security_groups": []}


def test_one_visible_network_is_meant(member, make_network):
    make_network(project_id="p2")
    mine = make_network()
    for asked in (None, "auto"):
        (request,) = check(member, asked, None)["requests"]
        assert request == {"network_id": mine.id, "port_id": "", "fixed_ip": "", "tag": ""}


def test_two_networks_are_ambiguous(member, make_network):
    make_network()
    make_network(project_id="p2", shared=True)
    with pytest.raises(errors.NetworkAmbiguous, match="Multiple possible networks found, use a Network ID"):
        check(member, None, None)


def test_auto_without_any_network_is_refused(member):
    with pytest.raises(errors.NoNetworkToChoose):
        check(member, "auto", None)


def test_explicit_requests_are_kept_in_order(member, make_network):
    network = make_network()
    port = make_port(Port(network=network, project_id="p1"), [AddressWish(ip_address="10.0.0.8")], [])
    answer = check(member, [{"port": port.id, "tag": "a"}, {"uuid": network.id, "fixed_ip": "10.0.0.9"}], ["default"])
    assert answer["requests"] == [
        {"network_id": network.id, "port_id": port.id, "fixed_ip": "", "tag": "a"},
        {"network_id": network.id, "port_id": "", "fixed_ip": "10.0.0.9", "tag": ""},
    ]
    assert answer["security_groups"] == [SecurityGroup.objects.get(project_id="p1").id]


def test_what_is_not_there_or_anothers_is_unknown(member, make_network):
    foreign = make_network(project_id="p2")
    port = make_port(Port(network=foreign, project_id="p2"), None, [])
    group = SecurityGroup.objects.create(project_id="p2", name="g")
    for network_id in (foreign.id, new_uuid()):
        with pytest.raises(errors.NetworkUnknown, match=f"Network {network_id} could not be found."):
            check(member, [{"uuid": network_id}], None)
    for port_id in (port.id, new_uuid()):
        with pytest.raises(errors.PortUnknown, match=f"Port {port_id} could not be found."):
            check(member, [{"port": port_id}], None)
    for name in (group.id, "g"):
        with pytest.raises(errors.SecurityGroupUnknown, match=f"Security group {name} not found for project p1"):
            check(member, "none", [name])


def test_a_network_needs_a_subnet(member):
    network = Network.objects.create(project_id="p1")
    with pytest.raises(errors.NetworkHasNoSubnet):
        check(member, [{"uuid": network.id}], None)


def test_a_port_is_used_once(member, make_network):
    network = make_network()
    used = make_port(Port(network=network, project_id="p1", device_id="x"), None, [])
    free = make_port(Port(network=network, project_id="p1"), None, [])
    bare = make_port(Port(network=network, project_id="p1"), [], [])
    with pytest.raises(errors.PortTaken):
        check(member, [{"port": used.id}], None)
    with pytest.raises(errors.PortTaken):
        check(member, [{"port": free.id}, {"port": free.id}], None)
    with pytest.raises(errors.PortHasNoAddress):
        check(member, [{"port": bare.id}], None)


@pytest.mark.parametrize(("address", "error"), [
    ("192.168.0.1", errors.FixedIpUnfit), ("10.0.0.255", errors.FixedIpUnfit), ("10.0.0.0", errors.FixedIpUnfit),
    ("nonsense", errors.FixedIpUnfit), ("10.0.0.1", errors.FixedIpTaken), ("10.0.0.50", errors.FixedIpTaken),
])
def test_a_fixed_address_must_fit_and_be_free(member, make_network, address, error):
    network = make_network()
    (port,) = [make_port(Port(network=network, project_id="p1"), None, [])]
    port.fixed_ips.update(ip_address="10.0.0.50")
    with pytest.raises(error):
        check(member, [{"uuid": network.id, "fixed_ip": address}], None)


def test_two_groups_of_a_name_are_ambiguous_by_name_only(member):
    groups = [SecurityGroup.objects.create(project_id="p1", name="g") for _ in range(2)]
    with pytest.raises(errors.SecurityGroupAmbiguous):
        check(member, "none", ["g"])
    assert check(member, "none", [groups[0].id])["security_groups"] == [groups[0].id]


def test_an_external_network_is_for_admins(member, make_network):
    network = make_network(project_id="p2", is_external=True)
    with pytest.raises(errors.ExternalNetworkForbidden):
        check(member, [{"uuid": network.id}], None)
    assert check(replace(member, roles=frozenset({"admin"})), [{"uuid": network.id}], None)["requests"]


def test_ports_have_a_quota(member, make_network):
    network = make_network()
    NetworkQuota.objects.create(project_id="p1", limits={"port": 3})
    assert check(member, [{"uuid": network.id}], None, count=3)
    with pytest.raises(errors.PortsOverQuota):
        check(member, [{"uuid": network.id}, {"uuid": network.id}], None, count=2)
