"""What the metadata service says to whom it knows."""

import json

import pytest

from compute_agent.network.metadata.answers import answer

DOCUMENT = {
    "address": "10.0.0.5",
    "mac_address": "fa:16:3e:00:00:01",
    "instance_uuid": "1b2c3d4e-0000-4000-8000-000000000000",
    "metadata": {
        "uuid": "1b2c3d4e-0000-4000-8000-000000000000",
        "hostname": "s1.example",
        "public_keys": {"mine": "ssh-ed25519 AAAA me"},
        "availability_zone": "nova",
    },
    "user_data": "IyEvYmluL3NoCg==",
    "network": {"links": [], "networks": [], "services": []},
}
NO_USER_DATA = {**DOCUMENT, "user_data": ""}


def _text(path, document=DOCUMENT):
    found = answer(path, document)
    return found and found[1].decode()


@pytest.mark.parametrize("version", ["latest", "2018-08-27", "2012-08-10"])
def test_meta_data_is_the_document_of_the_order(version):
    assert json.loads(_text(f"/openstack/{version}/meta_data.json")) == DOCUMENT["metadata"]


def test_versions_and_files_are_listed():
    assert "openstack" in _text("/").split()
    assert "latest" in _text("/openstack").split()
    assert _text("/openstack/latest/").split() == [
        "meta_data.json", "network_data.json", "vendor_data.json", "vendor_data2.json", "user_data", "password",
    ]  # fmt: skip
    assert "password" not in _text("/openstack/2012-08-10").split()


@pytest.mark.parametrize("path", ["/openstack/latest/user_data", "/latest/user-data", "/2009-04-04/user-data"])
def test_user_data_is_decoded_and_absent_where_there_is_none(path):
    assert _text(path) == "#!/bin/sh\n"
    assert answer(path, NO_USER_DATA) is None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("instance-id", "i-1b2c3d4e"),
        ("local-ipv4", "10.0.0.5"),
        ("hostname", "s1.example"),
        ("public-hostname", "s1.example"),
        ("public-ipv4", ""),
        ("mac", "fa:16:3e:00:00:01"),
        ("placement/availability-zone", "nova"),
        ("placement/", "availability-zone"),
        ("public-keys/", "0=mine"),
        ("public-keys/0/", "openssh-key"),
        ("public-keys/0/openssh-key", "ssh-ed25519 AAAA me"),
    ],
)
def test_ec2_names(path, text):
    assert _text(f"/latest/meta-data/{path}") == text


def test_the_first_floating_address_is_the_public_one():
    document = {**DOCUMENT, "floating_ips": ["203.0.113.5", "203.0.113.4"]}
    assert _text("/latest/meta-data/public-ipv4", document) == "203.0.113.5"
    assert _text("/latest/meta-data/local-ipv4", document) == "10.0.0.5"


def test_ec2_root_marks_folders():
    names = _text("/latest/meta-data/").split()
    assert {"placement/", "public-keys/", "hostname"} <= set(names)


@pytest.mark.parametrize(
    "path", ["/x", "/openstack/1999-01-01/meta_data.json", "/latest/meta-data/nothing", "/openstack/latest/../x"]
)
def test_everything_else_is_not_there(path):
    assert answer(path, DOCUMENT) is None
