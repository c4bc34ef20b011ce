"""From a path to an answer, as OpenStack's and EC2's metadata services give it. Pure: a document in, bytes out."""

import base64
import binascii
import json
from typing import Any

Document = dict[str, Any]
Tree = dict[str, Any]

OPENSTACK_VERSIONS = (
    "2012-08-10",
    "2013-04-04",
    "2013-10-17",
    "2015-10-15",
    "2016-06-30",
    "2016-10-06",
    "2017-02-22",
    "2018-08-27",
    "2020-10-14",
    "latest",
)
EC2_VERSIONS = ("2007-01-19", "2008-02-01", "2009-04-04", "latest")

# What the control plane keeps, and is no file; the oldest version knew none.
PASSWORD = "password"  # noqa: S105 - a name

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"
BYTES_TYPE = "application/octet-stream"


def answer(path: str, document: Document) -> tuple[str, bytes] | None:
    """Return (content type, body) for a path, or None where there is nothing."""
    parts = [part for part in path.split("?", 1)[0].split("/") if part]
    if not parts:
        return TEXT_TYPE, "\n".join([*EC2_VERSIONS, "openstack"]).encode()
    if parts[0] == "openstack":
        return _openstack(parts[1:], document)
    if parts[0] in EC2_VERSIONS:
        return _ec2(parts[1:], document, is_listing=path.endswith("/"))
    return None


def _openstack(parts: list[str], document: Document) -> tuple[str, bytes] | None:
    if not parts:
        return TEXT_TYPE, "\n".join(OPENSTACK_VERSIONS).encode()
    if parts[0] not in OPENSTACK_VERSIONS:
        return None
    files = _openstack_files(document)
    if len(parts) == 1:
        return TEXT_TYPE, "\n".join([*files, *([PASSWORD] if has_password(parts[0]) else [])]).encode()
    return files.get("/".join(parts[1:]))


def has_password(version: str) -> bool:
    """Tell whether a version of OpenStack's metadata knows passwords."""
    return version in OPENSTACK_VERSIONS[1:]


def _openstack_files(document: Document) -> dict[str, tuple[str, bytes]]:
    files = {
        "meta_data.json": (JSON_TYPE, _json(document["metadata"])),
        "network_data.json": (JSON_TYPE, _json(document["network"])),
        "vendor_data.json": (JSON_TYPE, b"{}"),
        "vendor_data2.json": (JSON_TYPE, b"{}"),
    }
    if document["user_data"]:
        files["user_data"] = (BYTES_TYPE, _user_data(document))
    return files


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _user_data(document: Document) -> bytes:
    try:
        return base64.b64decode(document["user_data"], validate=False)
    except binascii.Error:
        return b""


def _ec2(parts: list[str], document: Document, *, is_listing: bool) -> tuple[str, bytes] | None:
    if not parts:
        return TEXT_TYPE, ("meta-data/\nuser-data" if document["user_data"] else "meta-data/").encode()
    if parts == ["user-data"]:
        return (BYTES_TYPE, _user_data(document)) if document["user_data"] else None
    if parts[0] != "meta-data":
        return None
    found: Any = ec2_tree(document)
    for part in parts[1:]:
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    if isinstance(found, dict):
        return TEXT_TYPE, _listing(found).encode()
    return None if is_listing else (TEXT_TYPE, str(found).encode())


def _listing(tree: Tree) -> str:
    """Return the names in a folder; EC2 marks folders with a slash, and keys with their name."""
    if "_name" in tree:
        return "\n".join(name for name in tree if name != "_name")
    return "\n".join(_line(name, value) for name, value in tree.items())


def _line(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return name
    return f"{name}={value['_name']}" if "_name" in value else f"{name}/"


def ec2_tree(document: Document) -> Tree:
    """Return EC2's `meta-data`, made from the same document."""
    metadata: dict[str, Any] = document["metadata"]
    uuid = str(metadata.get("uuid") or document["instance_uuid"])
    hostname = str(metadata.get("hostname") or "")
    tree: Tree = {
        "ami-id": "ami-00000000",
        "ami-launch-index": str(metadata.get("launch_index", 0)),
        "block-device-mapping": {"ami": "vda", "root": "/dev/vda"},
        "hostname": hostname,
        "instance-id": f"i-{uuid[:8]}",
        "instance-type": str(metadata.get("instance_type") or ""),
        "local-hostname": hostname,
        "local-ipv4": document["address"],
        "mac": document["mac_address"],
        "placement": {"availability-zone": str(metadata.get("availability_zone") or "")},
        "public-hostname": hostname,
        "public-ipv4": next(iter(document.get("floating_ips", ())), ""),
        "reservation-id": str(metadata.get("reservation_id") or f"r-{uuid[:8]}"),
        "security-groups": "default",
    }
    keys = metadata.get("public_keys") or {}
    if keys:
        tree["public-keys"] = {
            str(number): {"_name": name, "openssh-key": key} for number, (name, key) in enumerate(keys.items())
        }
    return tree
