"""Flavors to boot servers with, for tests."""

from cloud.compute.models import Flavor


def make_flavor(flavor_id: str = "1", **overrides: object) -> Flavor:
    values = {"name": f"flavor-{flavor_id}", "vcpus": 1, "memory_mb": 512, "disk_gb": 1}
    return Flavor.objects.create(flavorid=flavor_id, **values | overrides)
