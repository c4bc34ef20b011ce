"""Who may do what with networks.

A row such as `create_port:mac_address` is about an attribute. That an attribute is for the owner of the network only
is checked where the network is known, in `services/ports`.

Source: https://docs.openstack.org/neutron/latest/configuration/policy.html
"""

from cloud.core.policy import Rule, admin, anyone, project_member, project_reader, register

_CHANGEABLE = ("network", "subnet", "port", "router", "floatingip", "security_group", "subnetpool")
_RESOURCES = (*_CHANGEABLE, "security_group_rule")
_SEGMENT = tuple(f"network:provider:{name}" for name in ("network_type", "physical_network", "segmentation_id"))

POLICIES: dict[str, Rule] = {
    "get_resources": anyone,
    "get_extension": anyone,
    **{f"get_{name}": project_reader for name in _RESOURCES},
    "onboard_network_subnets": project_member,
    "get_address_scope": project_reader,
    "get_rbac_policy": project_reader,
    **{f"{verb}_rbac_policy": project_member for verb in ("create", "update", "delete")},
    "create_rbac_policy:target_tenant": admin,
    "create_rbac_policy:external": admin,
    # QoS policies are an admin's, as in Neutron; whoever sees one may put it on what is his.
    "get_policy": project_reader,
    "get_policy:tags": project_reader,
    "get_rule_type": project_reader,
    "get_rule_type:details": admin,
    **{f"{verb}_policy{part}": admin for verb in ("create", "update", "delete")
       for part in ("", "_bandwidth_limit_rule")},
    "update_policy:tags": admin,
    "get_auto_allocated_topology": project_member,
    "delete_auto_allocated_topology": project_member,
    **{f"{verb}_address_scope": project_member for verb in ("create", "update", "delete")},
    **{f"{verb}_{name}": project_member for name in _RESOURCES for verb in ("create", "delete")},
    **{f"update_{name}": project_member for name in _CHANGEABLE},
    **{f"get_{name}:tags": project_reader for name in _CHANGEABLE},
    **{f"update_{name}:tags": project_member for name in _CHANGEABLE},
    **dict.fromkeys(
        ("add_router_interface", "remove_router_interface", "add_extraroutes", "remove_extraroutes"), project_member
    ),
    "create_floatingip:floating_ip_address": admin,
    "get_port:binding:host_id": admin,
    **{f"get_{name}": admin for name in _SEGMENT},
    "get_quota": project_reader,
    "get_quota:all": admin,
    "update_quota": admin,
    "delete_quota": admin,
    # A list of what one may see, which is nothing for all but admins.
    "get_agents": project_reader,
    "get_agent": admin,
    **dict.fromkeys(("get_l3-agents", "get_l3-routers", "get_dhcp-agents", "get_dhcp-networks"), admin),
    "get_service_provider": project_reader,
    "get_availability_zone": project_reader,
    "get_network_ip_availability": admin,
}
# Attributes that are an admin's business.
POLICIES |= {
    f"{verb}_{attribute}": admin
    for verb in ("create", "update")
    for attribute in ("network:shared", "network:router:external", "network:is_default", "subnetpool:is_default",
                      "address_scope:shared", "port:binding:host_id", "port:binding:profile", *_SEGMENT,
                      "router:external_gateway_info:enable_snat", "router:external_gateway_info:external_fixed_ips")
}
POLICIES["create_subnetpool:shared"] = admin
POLICIES |= {"create_port:mac_address": project_member, "update_port:mac_address": admin}

register(POLICIES)
