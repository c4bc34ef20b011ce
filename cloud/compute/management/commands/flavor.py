"""`manage.py flavor list|show|create|delete`."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cloud.compute.api.flavor_schemas import CREATE
from cloud.compute.management.step_tree import table
from cloud.compute.models import Flavor
from cloud.compute.selectors.flavors import projects_of
from cloud.compute.services.flavors import create_flavor, delete_flavor
from cloud.core.errors import CloudError
from cloud.core.microversions import at_version, version
from cloud.core.validation import check_body

_SCHEMA_VERSION = "2.55"
# option -> (key of the API's body, column, what it is)
_SIZES = {
    "vcpus": ("vcpus", "vcpus", "number of virtual CPUs"),
    "ram": ("ram", "memory_mb", "memory in MiB"),
    "disk": ("disk", "disk_gb", "root disk in GiB; 0 for the image's own size"),
    "ephemeral": ("OS-FLV-EXT-DATA:ephemeral", "ephemeral_gb", "second disk in GiB"),
    "swap": ("swap", "swap_mb", "swap disk in MiB"),
}
_DEFAULTS = {"vcpus": 1, "ram": 256, "disk": 0, "ephemeral": 0, "swap": 0}


class Command(BaseCommand):
    help = "List, show, create and delete flavors."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|show|create|delete")
        verbs.add_parser("list", help="every flavor, one a line")
        verbs.add_parser("show", help="one flavor in full").add_argument("flavor", help="its name or id")
        verbs.add_parser("delete", help="remove a flavor").add_argument("flavor", help="its name or id")
        create = verbs.add_parser("create", help="make a flavor")
        create.add_argument("name")
        create.add_argument("--id", default=None, help="the id that clients see; random if not given")
        create.add_argument("--private", action="store_true", help="only for projects that are given access")
        for option, (_, _, what) in _SIZES.items():
            default = _DEFAULTS[option]
            create.add_argument(f"--{option}", type=int, default=default, help=f"{what} ({default})")

    def handle(self, *, verb: str, **options: Any) -> None:
        try:
            for line in VERBS[verb](options):
                self.stdout.write(line)
        except CloudError as refusal:
            raise CommandError(refusal.message) from refusal


def _list(options: dict[str, Any]) -> Iterator[str]:
    rows = [
        (one.name, one.flavorid, one.vcpus, one.memory_mb, one.disk_gb, "public" if one.is_public else "private")
        for one in Flavor.objects.order_by("memory_mb", "vcpus", "name")
    ]
    return table(("name", "id", "vCPUs", "memory MB", "disk GB", ""), rows, "llrrr")


def _show(options: dict[str, Any]) -> Iterator[str]:
    flavor = _find(options["flavor"])
    rows = {
        "name": flavor.name, "id": flavor.flavorid, "description": flavor.description or "", "vCPUs": flavor.vcpus,
        "memory MB": flavor.memory_mb, "disk GB": flavor.disk_gb, "ephemeral GB": flavor.ephemeral_gb,
        "swap MB": flavor.swap_mb, "public": "yes" if flavor.is_public else "no",
        "projects": ", ".join(projects_of(flavor)),
        "extra specs": ", ".join(f"{key}={value}" for key, value in sorted(flavor.extra_specs.items())),
    }  # fmt: skip
    return (f"{name:<12} {value}".rstrip() for name, value in rows.items())


def _create(options: dict[str, Any]) -> Iterator[str]:
    asked = {"name": options["name"], **{key: options[option] for option, (key, _, _) in _SIZES.items()}}
    if options["id"] is not None:
        asked["id"] = options["id"]
    check_body(at_version(CREATE, version(_SCHEMA_VERSION)), {"flavor": asked})
    columns = {column: options[option] for option, (_, column, _) in _SIZES.items()}
    named = {} if options["id"] is None else {"flavorid": options["id"]}
    flavor = create_flavor({"name": options["name"], "is_public": not options["private"], **columns, **named})
    yield f"Flavor {flavor.name} has the id {flavor.flavorid}."


def _delete(options: dict[str, Any]) -> Iterator[str]:
    flavor = _find(options["flavor"])
    delete_flavor(flavor)
    yield f"Flavor {flavor.name} is deleted; servers made from it keep their size."


def _find(text: str) -> Flavor:
    flavor = Flavor.objects.filter(flavorid=text).first() or Flavor.objects.filter(name=text).first()
    if flavor is None:
        raise CommandError(f"There is no flavor whose id or name is {text!r}.")
    return flavor


VERBS = {"list": _list, "show": _show, "create": _create, "delete": _delete}
