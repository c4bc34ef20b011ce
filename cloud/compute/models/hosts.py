"""Hosts: their services and what their hypervisors report (cell)."""

from django.db import models

from cloud.core.models import new_uuid, uuid_field


class Service(models.Model):
    """A process of the cloud on a host: nova-compute, nova-conductor, nova-scheduler.

    It is up while `last_seen_at` is recent by the database's clock and nobody forced it down. `reported_at` is the
    host's word, compared only with earlier reports of the same host. `forced_down_at` and `forced_down_by`: when it was
    last said that the machine is off, and by whom.
    """

    uuid = uuid_field(unique=True, default=new_uuid)
    binary = models.CharField(max_length=64)
    host = models.CharField(max_length=64)
    disabled = models.BooleanField(default=False)
    disabled_reason = models.CharField(max_length=255, null=True, blank=True)
    forced_down = models.BooleanField(default=False)
    forced_down_at = models.DateTimeField(null=True, blank=True)
    forced_down_by = models.CharField(max_length=255, blank=True, default="")
    # What the scheduler was last told; reconciled with last_seen_at by beat.
    is_up = models.BooleanField(default=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.FloatField(default=0)
    started_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "host service"
        constraints = [models.UniqueConstraint(fields=["binary", "host"], name="one_service")]

    def __str__(self) -> str:
        return f"{self.binary} on {self.host}"


class ComputeNode(models.Model):
    """A hypervisor as its host reports it. What is promised of it stands in placement's inventory."""

    uuid = uuid_field(unique=True, default=new_uuid)
    host = models.CharField(max_length=64, unique=True)
    # Of the contracts that its agent speaks: it is not sent orders of a later one.
    release = models.IntegerField(default=1)
    hypervisor_hostname = models.CharField(max_length=255)
    hypervisor_type = models.CharField(max_length=32, default="QEMU")
    hypervisor_version = models.IntegerField(default=0)
    host_ip = models.CharField(max_length=64, default="127.0.0.1")
    # What it carries networks by: its address in the wire of VXLAN, the other wires it has, what its kernel can do.
    tunnel_ip = models.CharField(max_length=64, blank=True, default="")
    physical_networks = models.JSONField(default=list, blank=True)
    network_types = models.JSONField(default=list, blank=True)
    vcpus = models.IntegerField(default=0)
    memory_mb = models.IntegerField(default=0)
    disk_gb = models.IntegerField(default=0)
    memory_mb_free = models.IntegerField(default=0)
    disk_gb_free = models.IntegerField(default=0)
    running_vms = models.IntegerField(default=0)
    cpu_info = models.JSONField(default=dict, blank=True)
    architecture = models.CharField(max_length=16, default="x86_64")
    load_average = models.CharField(max_length=64, blank=True, default="")
    uptime_text = models.CharField(max_length=255, blank=True, default="")
    cached_images = models.JSONField(default=list, blank=True)
    # Why the host can take no new server now, in its own words; no scheduler chooses it meanwhile.
    troubles = models.JSONField(default=list, blank=True)
    # How far the host's own clock is ahead of the control plane's.
    clock_offset_seconds = models.FloatField(default=0)
    # The host's last word on what belongs to instances there (contracts.conductor.Residue), for the audit.
    residue = models.JSONField(default=dict, blank=True)
    residue_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "hypervisor"

    def __str__(self) -> str:
        return self.hypervisor_hostname
