"""What the commands about hosts have in common: change what an operator decides, or say in a sentence why not."""

from typing import Any

from django.core.management.base import CommandError

from cloud.compute.errors import ServiceNotFound
from cloud.compute.selectors.services import COMPUTE
from cloud.compute.services.host_services import change_service
from cloud.core.errors import CloudError


def change_host(host: str, **columns: Any) -> None:
    """Change a host's compute service; see `change_service`.

    Raises:
        CommandError: there is no such host (status 2), or it is refused (status 1).
    """
    try:
        change_service(host, COMPUTE, **columns)
    except ServiceNotFound as missing:
        text = f"There is no host {host!r}; cloud_status lists those that there are."
        raise CommandError(text, returncode=2) from missing
    except CloudError as refusal:
        raise CommandError(refusal.message) from refusal
