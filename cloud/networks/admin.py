"""The admin pages of the network domain.

They show rows and change none: addresses, ports, rules and limits are made, changed and removed by the API,
which checks them against each other.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from cloud.identity.admin.rights import ReadOnlyAdmin
from cloud.networks.models import (
    AddressScope,
    BandwidthLimit,
    FixedIp,
    FloatingIp,
    HostNetworkState,
    Network,
    NetworkQuota,
    Port,
    QosPolicy,
    RbacPolicy,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
)
from cloud.networks.models.device_owners import ROUTER_GATEWAY, ROUTER_INTERFACE


def _link(page: str, key: str, text: str) -> str:
    return format_html('<a href="{}">{}</a>', reverse(f"admin:networks_{page}_change", args=[key]), text)


class _ShownOnly:
    """Rows inside another row's page, to be looked at."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class SubnetInline(_ShownOnly, admin.TabularInline):
    model = Subnet
    fields = ("name", "cidr", "gateway_ip", "enable_dhcp", "allocation_pools", "dns_nameservers")


class FixedIpInline(_ShownOnly, admin.TabularInline):
    model = FixedIp
    fields = ("ip_address", "subnet")
    show_change_link = False


class RuleInline(_ShownOnly, admin.TabularInline):
    model = SecurityGroupRule
    fk_name = "group"
    fields = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix",
              "remote_group", "description")


@admin.register(Network)
class NetworkAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "id", "project_id", "shared", "is_external", "network_type", "physical_network",
                    "segmentation_id", "mtu", "subnet_count", "port_count", "picture", "created_at")
    list_filter = ("shared", "is_external", "network_type", "admin_state_up")
    search_fields = ("name", "=id", "=project_id", "=segmentation_id", "subnets__cidr")
    date_hierarchy = "created_at"
    inlines = (SubnetInline,)

    def get_queryset(self, request: Any) -> QuerySet[Network]:
        counts = {"subnet_total": Count("subnets", distinct=True), "port_total": Count("ports", distinct=True)}
        return super().get_queryset(request).annotate(**counts)

    @admin.display(description="subnets", ordering="subnet_total")
    def subnet_count(self, row: Any) -> int:
        return int(row.subnet_total)

    @admin.display
    def picture(self, row: Any) -> str:
        return format_html('<a href="{}?network={}">picture</a>', reverse("admin:compute_topology"), row.pk)

    @admin.display(description="ports", ordering="port_total")
    def port_count(self, row: Any) -> str:
        url = reverse("admin:networks_port_changelist")
        return format_html('<a href="{}?network__id__exact={}">{}</a>', url, row.pk, row.port_total)


@admin.register(Subnet)
class SubnetAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "cidr", "network_link", "gateway_ip", "enable_dhcp", "given", "project_id")
    list_filter = ("ip_version", "enable_dhcp")
    list_select_related = ("network",)
    search_fields = ("name", "=id", "cidr", "=project_id", "network__name")

    def get_queryset(self, request: Any) -> QuerySet[Subnet]:
        return super().get_queryset(request).annotate(given_total=Count("fixed_ips"))

    @admin.display(description="network", ordering="network__name")
    def network_link(self, row: Subnet) -> str:
        return _link("network", row.network_id, str(row.network))

    @admin.display(description="addresses given", ordering="given_total")
    def given(self, row: Any) -> int:
        return int(row.given_total)


@admin.register(Port)
class PortAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "mac_address", "addresses", "network_link", "status", "device_owner", "device_id",
                    "host")
    list_filter = ("status", "device_owner", "is_created_for_server")
    list_select_related = ("network",)
    search_fields = ("name", "=id", "mac_address", "=device_id", "=project_id", "=host", "fixed_ips__ip_address")
    inlines = (FixedIpInline,)
    change_form_template = "admin/networks/port.html"

    def get_queryset(self, request: Any) -> QuerySet[Port]:
        return super().get_queryset(request).prefetch_related("fixed_ips")

    @admin.display(description="network", ordering="network__name")
    def network_link(self, row: Port) -> str:
        return _link("network", row.network_id, str(row.network))

    @admin.display
    def addresses(self, row: Port) -> str:
        return format_html_join(", ", "{}", ((fixed.ip_address,) for fixed in row.fixed_ips.all()))


class RouterPortInline(_ShownOnly, admin.TabularInline):
    model = Port
    verbose_name_plural = "interfaces and gateway"
    fields = ("device_owner", "network", "mac_address", "status")


class RouterFloatingIpInline(_ShownOnly, admin.TabularInline):
    model = FloatingIp
    verbose_name_plural = "floating IPs that it translates"
    fields = ("floating_ip_address", "fixed_ip")


@admin.register(Router)
class RouterAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "id", "project_id", "admin_state_up", "host", "gateway_address", "interface_count",
                    "floating_count", "created_at")
    list_filter = ("admin_state_up", "enable_snat")
    search_fields = ("name", "=id", "=project_id", "=host", "ports__fixed_ips__ip_address")
    date_hierarchy = "created_at"
    inlines = (RouterPortInline, RouterFloatingIpInline)

    def get_queryset(self, request: Any) -> QuerySet[Router]:
        inside = Q(ports__device_owner=ROUTER_INTERFACE)
        counts = {"interface_total": Count("ports", filter=inside, distinct=True),
                  "floating_total": Count("floating_ips", distinct=True)}
        gateway = FixedIp.objects.filter(port__router=OuterRef("pk"), port__device_owner=ROUTER_GATEWAY)
        shown = Subquery(gateway.order_by("id").values("ip_address")[:1])
        return super().get_queryset(request).annotate(gateway=shown, **counts)

    @admin.display(description="gateway")
    def gateway_address(self, row: Any) -> str | None:
        return row.gateway  # type: ignore[no-any-return]  # annotated above

    @admin.display(description="interfaces", ordering="interface_total")
    def interface_count(self, row: Any) -> int:
        return int(row.interface_total)

    @admin.display(description="floating IPs", ordering="floating_total")
    def floating_count(self, row: Any) -> int:
        return int(row.floating_total)


@admin.register(FloatingIp)
class FloatingIpAdmin(ReadOnlyAdmin):
    list_display = ("floating_ip_address", "id", "network_link", "leads_to", "router", "project_id", "created_at")
    list_select_related = ("network", "fixed_ip", "router")
    search_fields = ("=floating_ip_address", "=id", "=project_id", "=fixed_ip__ip_address", "=fixed_ip__port__id")

    @admin.display(description="network", ordering="network__name")
    def network_link(self, row: FloatingIp) -> str:
        return _link("network", row.network_id, str(row.network))

    @admin.display(description="leads to", ordering="fixed_ip__ip_address")
    def leads_to(self, row: FloatingIp) -> str:
        return _link("port", row.fixed_ip.port_id, row.fixed_ip.ip_address) if row.fixed_ip else "nowhere"


@admin.register(SecurityGroup)
class SecurityGroupAdmin(ReadOnlyAdmin):
    list_display = ("name", "id", "project_id", "is_default", "stateful", "rule_count", "port_count")
    list_filter = ("is_default", "stateful")
    search_fields = ("name", "=id", "=project_id")
    inlines = (RuleInline,)

    def get_queryset(self, request: Any) -> QuerySet[SecurityGroup]:
        counts = {"rule_total": Count("rules", distinct=True), "port_total": Count("ports", distinct=True)}
        return super().get_queryset(request).annotate(**counts)

    @admin.display(description="rules", ordering="rule_total")
    def rule_count(self, row: Any) -> int:
        return int(row.rule_total)

    @admin.display(description="ports", ordering="port_total")
    def port_count(self, row: Any) -> int:
        return int(row.port_total)


@admin.register(SecurityGroupRule)
class SecurityGroupRuleAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "group_link", "port_range_min", "port_range_max", "remote_ip_prefix", "remote_group")
    list_filter = ("direction", "ethertype", "protocol")
    list_select_related = ("group", "remote_group")
    search_fields = ("=id", "group__name", "=group__id", "=project_id", "remote_ip_prefix")

    @admin.display(description="group", ordering="group__name")
    def group_link(self, row: SecurityGroupRule) -> str:
        return _link("securitygroup", row.group_id, str(row.group))


@admin.register(NetworkQuota)
class NetworkQuotaAdmin(ReadOnlyAdmin):
    list_display = ("project_id", "limits")
    search_fields = ("=project_id",)


@admin.register(SubnetPool)
class SubnetPoolAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "id", "project_id", "ip_version", "prefixes", "default_prefixlen", "shared",
                    "is_default", "address_scope")
    list_filter = ("ip_version", "shared", "is_default")
    list_select_related = ("address_scope",)
    search_fields = ("name", "=id", "=project_id")


@admin.register(AddressScope)
class AddressScopeAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "id", "project_id", "ip_version", "shared")
    list_filter = ("ip_version", "shared")
    search_fields = ("name", "=id", "=project_id")


class BandwidthLimitInline(_ShownOnly, admin.TabularInline):
    model = BandwidthLimit
    fields = ("direction", "max_kbps", "max_burst_kbps")
    show_change_link = False


@admin.register(QosPolicy)
class QosPolicyAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "id", "project_id", "shared", "is_default")
    list_filter = ("shared", "is_default")
    search_fields = ("name", "=id", "=project_id")
    inlines = (BandwidthLimitInline,)


@admin.register(RbacPolicy)
class RbacPolicyAdmin(ReadOnlyAdmin):
    list_display = ("id", "project_id", "object_type", "object_id", "action", "target_project")
    list_filter = ("object_type", "action")
    search_fields = ("=id", "=project_id", "=object_id", "=target_project")


@admin.register(HostNetworkState)
class HostNetworkStateAdmin(ReadOnlyAdmin):
    list_display = ("host", "summary", "told_at", "applied_at")
    search_fields = ("=host",)
