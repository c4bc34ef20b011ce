"""Write tempest.conf for a phase from what the running cloud answers; print the phase's selection of tests.

usage: configure.py PHASE OUT MINIMUM_COMPUTE_MICROVERSION [SECTION.OPTION=VALUE...]
"""

import configparser
import sys
from pathlib import Path
from typing import Any

import openstack

HERE = Path(__file__).parent


def main(phase: int, out: Path, minimum: str, settings: list[str]) -> None:
    """Write OUT/etc/tempest.conf."""
    cloud = openstack.connect(cloud="novella-admin")
    phases = configparser.RawConfigParser()
    phases.optionxform = str  # type: ignore[assignment,method-assign]
    phases.read(HERE / "phases.ini")
    tempest = configparser.RawConfigParser()
    tempest.optionxform = str  # type: ignore[assignment,method-assign]
    tempest.read(HERE / "tempest.conf")
    for section, options in _discovered(cloud, out, minimum).items():
        for name, value in options.items():
            _set(tempest, section, name, value)
    selection = ""
    for number in range(phase + 1):
        for name, value in phases.items(f"phase {number}"):
            if name == "tests":
                selection = value
            elif name != "title":
                _set(tempest, *name.split(".", 1), value)
    for setting in settings:
        name, _, value = setting.partition("=")
        _set(tempest, *name.split(".", 1), value)
    with (out / "etc" / "tempest.conf").open("w") as file:
        tempest.write(file)
    print("".join(selection.split()))


def _set(tempest: configparser.RawConfigParser, section: str, name: str, value: str) -> None:
    if section != "DEFAULT" and not tempest.has_section(section):
        tempest.add_section(section)
    tempest.set(section, name, value)


def _outside(cloud: Any) -> Any:
    """Return the cloud's external network, the default one; made with addresses of RFC 2544 where there is none."""
    for network in cloud.network.networks(is_router_external=True):
        return network if network.is_default else cloud.network.update_network(network, is_default=True)
    network = cloud.network.create_network(name="public", is_router_external=True, is_default=True)
    cloud.network.create_subnet(network_id=network.id, ip_version=4, cidr="198.18.0.0/20", enable_dhcp=False)
    return network


def _ensure_default_pool(cloud: Any) -> None:
    """Have a pool from which projects that ask for any network get theirs."""
    if not any(pool.is_default and pool.ip_version == 4 for pool in cloud.network.subnet_pools()):
        cloud.network.create_subnet_pool(
            name="tempest", prefixes=["10.192.0.0/12"], default_prefixlen=26, is_shared=True, is_default=True
        )


def _discovered(cloud: Any, out: Path, minimum: str) -> dict[str, dict[str, str]]:
    auth = cloud.config.config["auth"]
    flavors = sorted(cloud.compute.flavors(), key=lambda flavor: (flavor.ram, flavor.disk, flavor.vcpus))
    images = [image for image in cloud.image.images() if image.status == "active" and image.visibility == "public"]
    version = cloud.compute.get_endpoint_data()
    aliases = sorted(extension.alias for extension in cloud.network.extensions())
    outside = _outside(cloud)
    _ensure_default_pool(cloud)
    return {
        "DEFAULT": {"log_file": str(out / "tempest.log")},
        "oslo_concurrency": {"lock_path": str(out / "lock")},
        "auth": {
            "admin_username": auth["username"], "admin_password": auth["password"],
            "admin_project_name": auth["project_name"], "admin_domain_name": auth.get("user_domain_name", "Default"),
        },
        "identity": {"uri_v3": auth["auth_url"]},
        "compute": {
            "image_ref": images[0].id, "image_ref_alt": images[-1].id,
            "flavor_ref": flavors[0].id, "flavor_ref_alt": flavors[1].id,
            "min_microversion": minimum or ".".join(map(str, version.min_microversion)),
            "max_microversion": ".".join(map(str, version.max_microversion)),
        },
        "network": {"public_network_id": outside.id, "floating_network_name": outside.name},
        "network-feature-enabled": {"api_extensions": ",".join(aliases)},
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4:])
