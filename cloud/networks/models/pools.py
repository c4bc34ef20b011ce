"""Where blocks of subnets come from: pools of prefixes, and scopes in which no two pools overlap."""

from django.db import models

from cloud.networks.models.standard import Standard


class AddressScope(Standard):
    """A space of addresses of which each is meant once."""

    ip_version = models.IntegerField()
    shared = models.BooleanField(default=False)


class SubnetPool(Standard):
    """Prefixes from which subnets are cut.

    `prefixes` is a list of CIDRs that do not touch; `default_quota` counts addresses of IPv4, and /64 blocks of IPv6,
    that a project may have of it, None for no limit.
    """

    ip_version = models.IntegerField()
    prefixes = models.JSONField(default=list)
    min_prefixlen = models.IntegerField()
    default_prefixlen = models.IntegerField()
    max_prefixlen = models.IntegerField()
    default_quota = models.IntegerField(null=True, blank=True)
    shared = models.BooleanField(default=False)
    is_default = models.BooleanField(default=False)
    address_scope = models.ForeignKey(AddressScope, models.PROTECT, null=True, blank=True, related_name="pools")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ip_version"], condition=models.Q(is_default=True), name="one_default_subnet_pool"
            ),
        ]
