"""What a client asks when it creates servers, free of HTTP and of microversions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ServerRequest:
    """A request for servers.

    Attributes:
        hostname: empty to derive one from the name.
        image_id: empty for none.
        networks: None where the body names none; "auto"; "none"; or a list of {uuid, port, fixed_ip, tag}.
        security_groups: names or ids; empty for the project's default.
        availability_zone: empty for any; `zone:host` or `zone:host:node` to force a host.
        user_data: base64, already canonical. hints: the scheduler hints.
        min_count, max_count: how many at least, at most.
    """

    name: str
    flavor_id: str
    image_id: str
    hostname: str = ""
    description: str | None = None
    networks: str | Sequence[Mapping[str, str]] | None = None
    security_groups: Sequence[str] = ()
    key_name: str = ""
    user_data: str = ""
    config_drive: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ()
    disk_config: str = ""
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    availability_zone: str = ""
    host: str = ""
    node: str = ""
    hints: Mapping[str, Any] = field(default_factory=dict)
    min_count: int = 1
    max_count: int = 1
