"""`GET /servers/{id}/placement`: why a server is where it is, or why it is nowhere."""

from typing import Any

from cloud.compute.api.novella.views import decision, sees_hosts
from cloud.compute.api.schema_parts import NO_QUERY
from cloud.compute.selectors import servers
from cloud.compute.services import placement_reports
from cloud.compute.services.placement_reports import Report
from cloud.core import times
from cloud.core.context import RequestContext
from cloud.core.endpoints import ApiRequest, endpoint, route


@endpoint("novella:servers:placement", query=NO_QUERY)
def show(request: ApiRequest, server_id: str) -> dict[str, Any]:
    """Show what the scheduler said for each operation of a server, the latest operation first."""
    instance = servers.get_with_deleted(request.context, server_id)
    reports = placement_reports.of_server(request.context, instance)
    return {"placement": {
        "server_id": instance.uuid,
        "operations": [_operation(request.context, one) for one in reports],
    }}  # fmt: skip


def _operation(context: RequestContext, report: Report) -> dict[str, Any]:
    one = report.operation
    view = {
        "id": one.id,
        "action": one.action,
        "request_id": one.request_id,
        "state": one.state,
        "started_at": times.micros(one.started_at),
        "attempts": one.attempt,
        "error_code": one.error_code,
        "message": one.message,
        "decisions": [decision(context, explained) for explained in report.decisions],
    }
    return view | {"host": one.host, "hosts_tried": one.hosts_tried} if sees_hosts(context) else view


ROUTES = [route("/servers/<str:server_id>/placement", GET=show)]
