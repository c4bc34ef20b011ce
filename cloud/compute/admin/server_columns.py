"""What the list and the page of a server show, made from its row and what belongs to it."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html

from cloud.compute.admin.placement import report_part
from cloud.compute.admin.surroundings import complete_servers, user_names
from cloud.compute.models import Operation
from cloud.compute.services import placement_reports
from cloud.compute.statuses import status_of
from cloud.core.presentation import NOTHING, badge, link, list_link, small_table, span
from cloud.networks.selectors import interfaces
from cloud.placement.models import Allocation

_OPERATIONS_SHOWN = 30


class ServerColumns:
    """Columns; `complete` reads what they need for a whole page."""

    complete = staticmethod(complete_servers)

    @admin.display(description="name", ordering="display_name")
    def name_(self, one: Any) -> str:
        return one.display_name or one.uuid

    @admin.display(ordering="vm_state")
    def status(self, one: Any) -> str:
        return badge(status_of(one.vm_state, one.task_state))

    @admin.display(description="under way", ordering="task_state")
    def doing(self, one: Any) -> str:
        return badge(f"{one.task_state} {span(one.updated_at)}", "busy") if one.task_state else NOTHING

    @admin.display(description="status", ordering="vm_state")
    def state(self, one: Any) -> str:
        return format_html("{} {}", self.status(one), self.doing(one) if one.task_state else "")

    @admin.display
    def addresses(self, one: Any) -> str:
        return ", ".join(one.shown_addresses) or NOTHING

    @admin.display(description="flavor")
    def flavor_(self, one: Any) -> str:
        size = f"{one.flavor.get('vcpus')} vCPU, {one.flavor.get('memory_mb')} MB, {one.flavor.get('disk_gb')} GB"
        return format_html('<span title="{}">{}</span>', size, one.flavor.get("name", NOTHING))

    @admin.display(description="host", ordering="host")
    def host_(self, one: Any) -> str:
        return list_link("compute_service", one.host, q=one.host) if one.host else NOTHING

    @admin.display(ordering="project_id")
    def project(self, one: Any) -> str:
        return link("identity_project", one.project_id, one.project_name)

    @admin.display
    def reason(self, one: Any) -> str:
        return one.fault["message"] if one.fault else ""

    @admin.display(description="fault")
    def fault_(self, one: Any) -> str:
        if not one.fault:
            return NOTHING
        return format_html("{}<pre>{}</pre>", one.fault["message"], one.fault["details"])

    @admin.display
    def user(self, one: Any) -> str:
        name = user_names([one.user_id]).get(one.user_id)
        return link("identity_user", one.user_id, name) if name else one.user_id

    @admin.display
    def image(self, one: Any) -> str:
        return list_link("images_image", one.image_ref, q=one.image_ref) if one.image_ref else NOTHING

    @admin.display(description="name at the hypervisor")
    def domain(self, one: Any) -> str:
        return one.name

    @admin.display
    def operations(self, one: Any) -> str:
        rows = Operation.objects.filter(instance_uuid=one.uuid).order_by("-started_at")[:_OPERATIONS_SHOWN]
        cells = (
            (link("compute_operation", row.pk, row.action), badge(row.state), row.host,
             row.started_at.strftime("%F %T"), span(row.started_at, row.finished_at), row.detail or row.message)
            for row in rows
        )
        return small_table(("action", "state", "host", "began", "took", ""), cells)

    @admin.display(description="interfaces")
    def ports(self, one: Any) -> str:
        cells = (
            (link("networks_port", port.port_id, port.network_name), port.mac,
             ", ".join(address.ip for address in port.addresses), badge(port.status), ", ".join(port.security_groups))
            for port in interfaces([one.uuid]).get(one.uuid, ())
        )
        return small_table(("network", "MAC", "addresses", "status", "security groups"), cells)

    @admin.display(description="what the scheduler said")
    def placement(self, one: Any) -> str:
        reports = placement_reports.of_server(one.asked_by, one, most=1)
        return report_part(reports[0]) if reports else NOTHING

    @admin.display
    def allocations(self, one: Any) -> str:
        rows = Allocation.objects.filter(consumer_uuid=one.uuid).order_by("provider_id", "resource_class")
        return small_table(("host", "resource", "held"), rows.values_list("provider__name", "resource_class", "used"))
