"""Flavors and images to boot servers from, for tests."""

import uuid

from cloud.compute.models import Flavor
from cloud.images.models import Image


def make_flavor(flavor_id: str = "1", **overrides: object) -> Flavor:
    values = {"name": f"flavor-{flavor_id}", "vcpus": 1, "memory_mb": 512, "disk_gb": 1}
    return Flavor.objects.create(flavorid=flavor_id, **values | overrides)


def make_image(**overrides: object) -> Image:
    values = {
        "id": str(uuid.uuid4()), "name": "tiny", "owner": "o" * 32, "status": "active", "visibility": "public",
        "disk_format": "qcow2", "container_format": "bare", "size": 1000, "virtual_size": 2**20, "checksum": "c" * 32,
    }
    return Image.objects.create(**values | overrides)
