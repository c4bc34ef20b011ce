"""Query schemas of hypervisors."""

from cloud.compute.api.schema_parts import BOOLEAN, HOST, PAGE, once, parameters, strict
from cloud.core.microversions import ByVersion

_SERVERS = {"with_servers": BOOLEAN}
LIST_QUERY = ByVersion({
    "2.1": parameters(),
    "2.33": parameters(**PAGE),
    "2.53": strict(once(parameters(hypervisor_hostname_pattern=HOST, **_SERVERS, **PAGE))),
})  # fmt: skip
SHOW_QUERY = ByVersion({"2.1": parameters(), "2.53": strict(once(parameters(**_SERVERS)))})
