"""Routers, and floating addresses, which routers translate."""

from django.db import models

from cloud.core.models import id_field, new_uuid, uuid_field
from cloud.networks.models.networks import Network


class Router(models.Model):
    """A router of a project. Its interfaces and its gateway are the ports whose `router` it is.

    `routes` is a list of {"destination", "nexthop"}. `host`: where it and its ports are; empty while it has no port, or
    no host could carry it.
    """

    id = uuid_field(primary_key=True, default=new_uuid)
    name = models.CharField(max_length=255, blank=True, default="")
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = id_field(db_index=True)
    admin_state_up = models.BooleanField(default=True)
    host = models.CharField(max_length=255, blank=True, default="", db_index=True)
    enable_snat = models.BooleanField(default=True)
    routes = models.JSONField(default=list, blank=True)
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.name or self.id


class FloatingIp(models.Model):
    """An address of an external network that a project keeps, and the fixed address to which it leads, if any.

    The address itself is held by a port in the external network whose `floating_ip` this is, so that no port and no
    router is ever given the same. `router` is the one that translates, and says nothing without `fixed_ip`.
    """

    id = uuid_field(primary_key=True, default=new_uuid)
    description = models.CharField(max_length=255, blank=True, default="")
    project_id = id_field(db_index=True)
    network = models.ForeignKey(Network, models.PROTECT, related_name="floating_ips")
    floating_ip_address = models.CharField(max_length=64)
    # Ports go in bulk with their servers: `services.forgetting` empties this first, and the database's key sees to it.
    fixed_ip = models.ForeignKey(
        "networks.FixedIp", models.DO_NOTHING, null=True, blank=True, related_name="floating_ips"
    )
    router = models.ForeignKey(Router, models.SET_NULL, null=True, blank=True, related_name="floating_ips")
    revision_number = models.IntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["network", "floating_ip_address"], name="one_floating_address"),
            models.UniqueConstraint(fields=["network", "fixed_ip"], name="one_floating_ip_of_fixed"),
        ]

    def __str__(self) -> str:
        return self.floating_ip_address
