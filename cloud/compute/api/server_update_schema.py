"""Bodies of `PUT /servers/{id}`.

Source: https://docs.openstack.org/api-ref/compute/#update-server
"""

from cloud.compute.api.schema_parts import NAME, body
from cloud.compute.api.server_create_schema import DESCRIPTION, DISK_CONFIG, FQDN, IP_V4, IP_V6, LABEL
from cloud.core.microversions import ByVersion
from cloud.core.validation import Schema

_V2_1: dict[str, Schema] = {
    "name": NAME,
    "OS-DCF:diskConfig": DISK_CONFIG,
    "accessIPv4": IP_V4,
    "accessIPv6": IP_V6,
}
_V2_19 = {**_V2_1, "description": DESCRIPTION}
_V2_90 = {**_V2_19, "hostname": LABEL}
_V2_94 = {**_V2_90, "hostname": FQDN}
_V2_104 = {**_V2_94, "pinned_availability_zone": {**NAME, "type": ["string", "null"]}}

UPDATE = ByVersion(
    {
        "2.1": body("server", _V2_1),
        "2.19": body("server", _V2_19),
        "2.90": body("server", _V2_90),
        "2.94": body("server", _V2_94),
        "2.104": body("server", _V2_104),
    }
)
