"""Ports and their addresses."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field
from cloud.networks.models.networks import Network, Subnet


class Port(models.Model):
    """A plug in a network. `device_id` names who uses it, for servers the instance's uuid.

    `position` is its order among the interfaces of a server, NO_POSITION where it is none of them; `device_tag` is the
    word by which the guest is told which interface is which.
    """

    NO_POSITION = -1

    id = uuid_field(primary_key=True, default=new_uuid)
    network = models.ForeignKey(Network, models.PROTECT, related_name="ports")
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = id_field(db_index=True)
    mac_address = models.CharField(max_length=17)
    admin_state_up = models.BooleanField(default=True)
    status = models.CharField(max_length=16, default="DOWN")
    device_id = models.CharField(max_length=255, blank=True, default="", db_index=True)
    device_owner = models.CharField(max_length=255, blank=True, default="")
    host = models.CharField(max_length=255, blank=True, default="")
    # Set by the network service alone, and unlike `device_id` by nobody who asks: whose interface or gateway, whose
    # address it holds.
    router = models.ForeignKey("networks.Router", models.PROTECT, null=True, blank=True, related_name="ports")
    floating_ip = models.ForeignKey("networks.FloatingIp", models.PROTECT, null=True, blank=True, related_name="ports")
    port_security_enabled = models.BooleanField(default=True)
    # Made by the compute service for a server, so that it goes away with it.
    is_created_for_server = models.BooleanField(default=False)
    position = models.IntegerField(default=NO_POSITION)
    device_tag = models.CharField(max_length=60, blank=True, default="")
    # Deleted by its owner, and kept until its host has let go of it: see services/leaving.py.
    is_leaving = models.BooleanField(default=False)
    vnic_type = models.CharField(max_length=64, default="normal")
    binding_profile = models.JSONField(default=dict, blank=True)
    security_groups = models.ManyToManyField("networks.SecurityGroup", related_name="ports", blank=True)
    qos_policy = models.ForeignKey("networks.QosPolicy", models.PROTECT, null=True, blank=True, related_name="ports")
    allowed_address_pairs = models.JSONField(default=list, blank=True)
    extra_dhcp_opts = models.JSONField(default=list, blank=True)
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["network", "mac_address"], name="mac_in_network"),
            # Whoever allocates the interfaces of a server twice at once makes each of them once.
            models.UniqueConstraint(
                fields=["device_id", "position"], condition=models.Q(position__gte=0), name="position_in_server"
            ),
            models.UniqueConstraint(
                fields=["router"], condition=models.Q(device_owner="network:router_gateway"), name="one_gateway"
            ),
        ]
        indexes = [
            models.Index(fields=["updated_at"], condition=models.Q(is_leaving=True), name="port_leaving"),
            # A host's document costs what is on the host, not what is in the cloud.
            models.Index(fields=["host"], name="port_host"),
            models.Index(fields=["id"], condition=~models.Q(allowed_address_pairs=[]), name="port_pairs"),
        ]

    def __str__(self) -> str:
        return self.name or self.id

    @property
    def is_held(self) -> bool:
        """Whether the network service itself needs the port."""
        return self.router_id is not None or self.floating_ip_id is not None


class FixedIp(models.Model):
    """An address of a port."""

    port = models.ForeignKey(Port, models.CASCADE, related_name="fixed_ips")
    subnet = models.ForeignKey(Subnet, models.PROTECT, related_name="fixed_ips")
    ip_address = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subnet", "ip_address"], name="ip_in_subnet")]

    def __str__(self) -> str:
        return self.ip_address
