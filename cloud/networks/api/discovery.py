"""What the Network service is: its version, its resources, its extensions and its zones. GET 200."""

from typing import Any

from cloud.core.endpoints import ApiRequest, endpoint, route
from cloud.networks.api.collection import Body
from cloud.networks.api.service import EXTENSIONS_UPDATED
from cloud.networks.errors import ExtensionNotFound

TAGGED = ("floatingip", "network", "policy", "port", "router", "security_group", "subnet", "subnetpool")
# Exactly what holds here: clients, and tests, take each at its word.
_EXTENSIONS: tuple[tuple[str, str], ...] = (
    ("address-scope", "Address scope"),
    ("agent", "agent"),
    ("allowed-address-pairs", "Allowed Address Pairs"),
    ("auto-allocated-topology", "Auto Allocated Topology Services"),
    ("availability_zone", "Availability Zone"),
    ("binding", "Port Binding"),
    ("default-subnetpools", "Default Subnetpools"),
    ("empty-string-filtering", "Empty String Filtering Extension"),
    ("external-net", "Neutron external network"),
    ("ext-gw-mode", "Neutron L3 Configurable external gateway mode"),
    ("extraroute", "Neutron Extra Route"),
    ("extraroute-atomic", "Atomically add/remove extra routes"),
    ("filter-validation", "Filter parameters validation"),
    ("extra_dhcp_opt", "Neutron Extra DHCP options"),
    ("fip-port-details", "Floating IP Port Details Extension"),
    ("ip-substring-filtering", "IP address substring filtering"),
    ("net-mtu", "Network MTU"),
    ("net-mtu-writable", "Network MTU (writable)"),
    ("network-ip-availability", "Network IP Availability"),
    ("network_availability_zone", "Network Availability Zone"),
    ("pagination", "Pagination support"),
    ("port-security", "Port Security"),
    ("port-security-groups-filtering", "Port filtering on security groups"),
    ("project-id", "project_id field enabled"),
    ("provider", "Provider Network"),
    ("qos", "Quality of Service"),
    ("qos-bw-limit-direction", "Direction for QoS bandwidth limit rule"),
    ("qos-default", "QoS default policy"),
    ("qos-rule-type-details", "Details of QoS rule types"),
    ("quota-check-limit", "Quota engine limit check"),
    ("quota_details", "Quota details management support"),
    ("quotas", "Quota management support"),
    ("rbac-address-scope", "Add address_scope type to RBAC"),
    ("rbac-policies", "RBAC Policies"),
    ("rbac-security-groups", "Add security_group type to network RBAC"),
    ("rbac-subnetpool", "Add subnetpool type to RBAC"),
    ("router", "Neutron L3 Router"),
    ("router_availability_zone", "Router Availability Zone"),
    ("security-group", "security-group"),
    ("security-groups-default-rules-belonging", "Security groups default rules belonging"),
    ("security-groups-normalized-cidr", "Normalized CIDR field for security group rules"),
    ("security-groups-shared-filtering", "Security group filtering on the shared field"),
    ("service-type", "Neutron Service Type Management"),
    ("sorting", "Sorting support"),
    ("standard-attr-description", "standard-attr-description"),
    ("standard-attr-revisions", "Resource revision numbers"),
    ("standard-attr-tag", f"Tag support for resources with standard attribute: {', '.join(TAGGED)}"),
    ("standard-attr-timestamp", "Resource timestamps"),
    ("stateful-security-group", "Stateful security group"),
    ("subnet_onboard", "Subnet Onboard"),
    ("subnet-service-types", "Subnet service types"),
    ("subnet_allocation", "Subnet Allocation"),
    ("tag-ports-during-bulk-creation", "Tag Ports During Bulk Creation"),
)
_RESOURCES = (
    ("network", "networks"), ("subnet", "subnets"), ("port", "ports"), ("security_group", "security-groups"),
    ("security_group_rule", "security-group-rules"), ("router", "routers"), ("floatingip", "floatingips"),
    ("subnetpool", "subnetpools"), ("address_scope", "address-scopes"),
    ("rbac_policy", "rbac-policies"),
    ("quota", "quotas"), ("extension", "extensions"),
)


@endpoint("")
def versions(request: ApiRequest) -> Body:
    """List the API's versions; no token needed."""
    link = {"rel": "self", "href": f"{request.url}/v2.0/"}
    return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]}


@endpoint("get_resources")
def resources(request: ApiRequest) -> Body:
    """List the resources of v2.0."""
    return {
        "resources": [
            {
                "name": name,
                "collection": path.replace("-", "_"),
                "links": [{"rel": "self", "href": f"{request.url}/v2.0/{path}"}],
            }
            for name, path in _RESOURCES
        ]
    }


def _extension(alias: str, name: str) -> dict[str, Any]:
    return {"alias": alias, "name": name, "description": name, "updated": EXTENSIONS_UPDATED, "links": []}


@endpoint("get_extension")
def extensions(request: ApiRequest) -> Body:
    """List the extensions."""
    return {"extensions": [_extension(alias, name) for alias, name in _EXTENSIONS]}


@endpoint("get_extension")
def extension(request: ApiRequest, alias: str) -> Body:
    """Show an extension."""
    found = dict(_EXTENSIONS).get(alias)
    if found is None:
        raise ExtensionNotFound(alias=alias)
    return {"extension": _extension(alias, found)}


@endpoint("get_availability_zone")
def availability_zones(request: ApiRequest) -> Body:
    """List the zones of networks and routers: there is one."""
    zones = [{"name": "nova", "resource": resource, "state": "available"} for resource in ("network", "router")]
    return {"availability_zones": zones}


@endpoint("get_service_provider")
def service_providers(request: ApiRequest) -> Body:
    """List the providers between which routers and the like could choose: there are none."""
    return {"service_providers": []}


ROUTES = [
    route("", GET=versions),
    route("/", GET=versions),
    route("/v2.0", GET=resources),
    route("/v2.0/", GET=resources),
    route("/v2.0/extensions", GET=extensions),
    route("/v2.0/extensions/<str:alias>", GET=extension),
    route("/v2.0/availability_zones", GET=availability_zones),
    route("/v2.0/service-providers", GET=service_providers),
]
