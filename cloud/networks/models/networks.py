"""Networks and subnets."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field
from cloud.networks.models.network_types import FLAT, VXLAN


class Network(models.Model):
    """A broadcast domain of a project.

    What carries it between hosts is named by `network_type` (of `models.network_types`), `physical_network` (empty
    where the type has none) and `segmentation_id`; no two networks that live have the same.
    """

    id = uuid_field(primary_key=True, default=new_uuid)
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = id_field(db_index=True)
    admin_state_up = models.BooleanField(default=True)
    shared = models.BooleanField(default=False)
    is_external = models.BooleanField(default=False)
    mtu = models.IntegerField(default=1450)
    port_security_enabled = models.BooleanField(default=True)
    # Of external networks: the one by which projects get out that ask for nothing.
    is_default = models.BooleanField(default=False)
    qos_policy = models.ForeignKey(
        "networks.QosPolicy", models.PROTECT, null=True, blank=True, related_name="networks"
    )
    network_type = models.CharField(max_length=16, default=VXLAN)
    physical_network = models.CharField(max_length=64, blank=True, default="")
    segmentation_id = models.IntegerField(null=True, blank=True)
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["network_type", "physical_network", "segmentation_id"], name="one_network_of_segment"
            ),
            models.UniqueConstraint(
                fields=["physical_network"], condition=models.Q(network_type=FLAT), name="one_flat_network"
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_network"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.id


class Subnet(models.Model):
    """A block of addresses of a network.

    `allocation_pools` is a list of {"start", "end"}; `gateway_ip` is empty for none. `service_types` are the
    device owners of the ports that it is for; where it has none it is for all.
    """

    id = uuid_field(primary_key=True, default=new_uuid)
    network = models.ForeignKey(Network, models.CASCADE, related_name="subnets")
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = id_field(db_index=True)
    cidr = models.CharField(max_length=64)
    subnetpool = models.ForeignKey(
        "networks.SubnetPool", models.PROTECT, null=True, blank=True, related_name="subnets"
    )
    ip_version = models.IntegerField(default=4)
    gateway_ip = models.CharField(max_length=64, blank=True, default="")
    enable_dhcp = models.BooleanField(default=True)
    allocation_pools = models.JSONField(default=list)
    dns_nameservers = models.JSONField(default=list, blank=True)
    host_routes = models.JSONField(default=list, blank=True)
    service_types = models.JSONField(default=list, blank=True)
    ipv6_address_mode = models.CharField(max_length=20, blank=True, default="")
    ipv6_ra_mode = models.CharField(max_length=20, blank=True, default="")
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name or self.cidr
