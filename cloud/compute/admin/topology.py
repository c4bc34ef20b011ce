"""The page of how networks, routers, servers and the outside hang together, and the address of its living middle."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from cloud.compute.admin.topology_picture import BOX_WIDTH, ServerSeen, picture
from cloud.compute.models import Instance
from cloud.compute.statuses import status_of
from cloud.core.presentation import tone
from cloud.networks.selectors.topology import Topology, projects_with_networks, topology

_NETWORKS, _PORTS_EACH = 40, 12
_LONGEST_ID = 64


def topology_page(request: HttpRequest) -> HttpResponse:
    """Answer the page, which renews its picture every two seconds."""
    project_id, network_id = _chosen(request)
    query = {"project": project_id, "network": network_id}
    values: dict[str, Any] = {
        "title": "Networks and what is in them",
        "project": project_id,
        "network": network_id,
        "projects": projects_with_networks(),
        "living": reverse("admin:compute_topology_picture", query={key: it for key, it in query.items() if it}),
    }
    return render(request, "admin/compute/topology.html", {**admin.site.each_context(request), **values})


def topology_fragment(request: HttpRequest) -> HttpResponse:
    """Answer the picture alone."""
    seen = topology(*_chosen(request), _NETWORKS, _PORTS_EACH)
    values = {"seen": seen, "picture": picture(seen, _servers(seen)), "box_width": BOX_WIDTH, "most": _NETWORKS}
    return render(request, "admin/compute/topology_picture.html", values)


def _chosen(request: HttpRequest) -> tuple[str, str]:
    return _word(request, "project"), _word(request, "network")


def _word(request: HttpRequest, key: str) -> str:
    """Return what was chosen. PostgreSQL takes no NUL, and no id has one."""
    return request.GET.get(key, "").replace("\0", "")[:_LONGEST_ID]


def _servers(seen: Topology) -> dict[str, ServerSeen]:
    rows = Instance.objects.filter(uuid__in={port.device_id for port in seen.ports}, deleted=False)
    return {
        one.uuid: ServerSeen(one.pk, one.display_name or one.uuid, status, one.host, tone(status))
        for one in rows.only("uuid", "display_name", "vm_state", "task_state", "host", "deleted")
        for status in (status_of(one.vm_state, one.task_state),)
    }
