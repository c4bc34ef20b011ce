"""From the bodies of create and rebuild to what the services take."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cloud.compute.api.schema_parts import is_true
from cloud.compute.services.server_request import ServerRequest
from cloud.core.endpoints import ApiRequest
from cloud.core.errors import Invalid
from cloud.core.microversions import version

TOKEN_HEADER = "X-Client-Token"  # noqa: S105 - its name, not a secret
_TOKEN_HINT = "client_token"  # noqa: S105 - its name, not a secret
_TOKEN = re.compile(r"[A-Za-z0-9._:-]{1,64}")
# They are decided, claimed and recorded together, so that all or none are made.
MOST_SERVERS = 1000
_NETWORKS_REQUIRED = version("2.37")
_NO_VOLUMES = (
    "Block devices other than the image's own disk are not supported: this cloud has no volume service. "
    "Name the image with imageRef."
)
_NO_FILES = "Personality files are not supported: use user_data or config_drive."
_NO_CERTIFICATES = "This cloud does not verify image signatures: trusted_image_certificates cannot be honoured."


def read_create(request: ApiRequest) -> ServerRequest:
    """Return what a body that fits its schema asks.

    Raises:
        Invalid: what a schema cannot say: counts that cross, devices that cannot be had.
    """
    body = request.body["server"]
    _check_create(body)
    minimum, maximum = _counts(body)
    return ServerRequest(
        name=body["name"],
        flavor_id=str(body["flavorRef"]),
        image_id=_image(body),
        hostname=body.get("hostname", ""),
        description=body.get("description"),
        networks=_networks(request, body),
        security_groups=_group_names(body),
        key_name=body.get("key_name", ""),
        user_data=_canonical(body.get("user_data", "")),
        config_drive=is_true(body.get("config_drive", False)),
        metadata=body.get("metadata", {}),
        tags=body.get("tags", ()),
        disk_config=body.get("OS-DCF:diskConfig", ""),
        access_ip_v4=body.get("accessIPv4", ""),
        access_ip_v6=body.get("accessIPv6", ""),
        availability_zone=body.get("availability_zone", ""),
        host=body.get("host", ""),
        node=body.get("hypervisor_hostname", ""),
        hints=_hints(request.body),
        min_count=minimum,
        max_count=maximum,
    )


def read_rebuild(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rebuild changes, by the names that clients use. Raises Invalid."""
    refuse_unsupported(body)
    if is_true(body.get("preserve_ephemeral", False)):
        raise Invalid("This cloud cannot preserve the ephemeral disk of a server that is rebuilt.")
    changes = dict(body)
    if changes.get("user_data"):
        changes["user_data"] = _canonical(changes["user_data"])
    return changes


def refuse_unsupported(body: Mapping[str, Any]) -> None:
    """Refuse what no server here can have. Raises Invalid."""
    if body.get("personality"):
        raise Invalid(_NO_FILES)
    if body.get("trusted_image_certificates"):
        raise Invalid(_NO_CERTIFICATES)


def _check_create(body: Mapping[str, Any]) -> None:
    refuse_unsupported(body)
    if body.get("block_device_mapping"):
        raise Invalid(_NO_VOLUMES)
    if _counts(body)[1] > 1:
        _check_many(body)


def _check_many(body: Mapping[str, Any]) -> None:
    """Refuse for several servers what one alone can have. Raises Invalid."""
    networks = body.get("networks") or ()
    asked = networks if isinstance(networks, list) else ()
    if "hostname" in body:
        raise Invalid("A hostname cannot be given to several servers at once.")
    if any(one.get("port") for one in asked):
        raise Invalid(
            "Unable to launch multiple instances with a single configured port ID. "
            "Please launch your instance one by one with different ports."
        )
    if any(one.get("fixed_ip") for one in asked):
        raise Invalid("max_count cannot be greater than 1 if an fixed_ip is specified.")


def _counts(body: Mapping[str, Any]) -> tuple[int, int]:
    minimum = int(body.get("min_count", 1))
    maximum = int(body.get("max_count", minimum))
    if minimum > maximum:
        raise Invalid("min_count must be <= max_count")
    if minimum > MOST_SERVERS:
        raise Invalid(f"One request may ask for {MOST_SERVERS} servers at most: min_count is {minimum}.")
    return minimum, min(maximum, MOST_SERVERS)


def _image(body: Mapping[str, Any]) -> str:
    """Return the image's id, which a single block device may repeat, or name alone."""
    named = str(body.get("imageRef", ""))
    devices = body.get("block_device_mapping_v2", ())
    if not devices:
        return named
    device = devices[0]
    is_image_disk = (
        len(devices) == 1
        and device.get("source_type") == "image"
        and device.get("destination_type", "local") == "local"
        and str(device.get("boot_index", 0)) == "0"
    )
    booted = str(device.get("uuid") or device.get("image_id") or "")
    if not is_image_disk or (named and booted != named):
        raise Invalid(_NO_VOLUMES)
    return booted


def _networks(request: ApiRequest, body: Mapping[str, Any]) -> str | Sequence[Mapping[str, str]] | None:
    asked = body.get("networks")
    if not asked and request.version < _NETWORKS_REQUIRED:
        return None
    return asked if isinstance(asked, str) else [_nic(one) for one in asked or ()]


def _nic(asked: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value is not None}


def _group_names(body: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(one["name"] for one in body.get("security_groups", ()) if "name" in one))


def read_client_token(request: ApiRequest) -> str:
    """Return the client's own name for a create request: of the header, or of the hint that stock clients can send.

    Raises:
        Invalid: it is no such name, or the two differ.
    """
    header, hint = request.django.headers.get(TOKEN_HEADER), _all_hints(request.body).get(_TOKEN_HINT)
    token = hint if header is None else header
    if token is None:
        return ""
    if hint is not None and hint != token:
        raise Invalid(f"The header {TOKEN_HEADER} and the hint {_TOKEN_HINT} name different client tokens.")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise Invalid("A client token is 1 to 64 letters, digits, dots, underscores, colons and hyphens.")
    return token


def _hints(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in _all_hints(body).items() if name != _TOKEN_HINT}


def _all_hints(body: Mapping[str, Any]) -> dict[str, Any]:
    return dict(body.get("os:scheduler_hints") or body.get("OS-SCH-HNT:scheduler_hints") or {})


def _canonical(text: str) -> str:
    # What Nova takes for base64 is more than others decode; a host must be able to read what is passed on.
    return base64.b64encode(base64.b64decode(text)).decode() if text else ""
