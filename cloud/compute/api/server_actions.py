"""`POST /servers/{id}/action`: the table of what can be done to a server.

Source: https://docs.openstack.org/api-ref/compute/#servers-run-an-action-servers-action
"""

import ipaddress
from collections.abc import Callable
from typing import Any

from django.conf import settings

from cloud.compute.api import links as urls
from cloud.compute.api import server_action_schemas as schemas
from cloud.compute.api import server_views as views
from cloud.compute.api.action_table import Action, action_endpoint
from cloud.compute.api.passwords import new_password
from cloud.compute.api.schema_parts import is_true
from cloud.compute.api.server_bodies import read_rebuild
from cloud.compute.models import Instance
from cloud.compute.selectors import servers
from cloud.compute.services import (
    console,
    delete_server,
    evacuate_server,
    locks,
    move_server,
    power,
    rebuild_server,
    reset_state,
    restore_server,
    server_networks,
    snapshot_server,
)
from cloud.core.endpoints import ApiRequest, Reply, route
from cloud.core.errors import Invalid, NotImplementedHere
from cloud.core.microversions import version

_POLICY = "os_compute_api:"
_TO_HOST = version("2.56")
_NO_PASSWORD, _STOPS = version("2.14"), version("2.95")
_NAMES_IMAGE = version("2.45")
Run = Callable[[ApiRequest, Instance], Any]


def _on_server(run: Run) -> Callable[..., Any]:
    """Let an action have the server itself; without an answer of its own it is 202 and empty."""

    def found(request: ApiRequest, server_id: str) -> Any:
        answer = run(request, servers.get(request.context, server_id))
        return Reply(status=202) if answer is None else answer

    return found


def _start(request: ApiRequest, instance: Instance) -> None:
    power.start(request.context, instance)


def _stop(request: ApiRequest, instance: Instance) -> None:
    power.stop(request.context, instance)


def _reboot(request: ApiRequest, instance: Instance) -> None:
    power.reboot(request.context, instance, hard=request.body["reboot"]["type"].upper() == "HARD")


def _lock(request: ApiRequest, instance: Instance) -> None:
    asked = request.body["lock"]
    locks.lock(request.context, instance, asked.get("locked_reason") if isinstance(asked, dict) else None)


def _unlock(request: ApiRequest, instance: Instance) -> None:
    locks.unlock(request.context, instance)


def _console_output(request: ApiRequest, instance: Instance) -> Reply:
    length = request.body["os-getConsoleOutput"].get("length")
    text = console.console_output(request.context, instance, None if length is None else int(length))
    return Reply({"output": text}, status=200)


def _rebuild(request: ApiRequest, instance: Instance) -> Reply:
    asked = request.body["rebuild"]
    rebuild_server.rebuild(request.context, instance, asked["imageRef"], read_rebuild(asked))
    row = servers.get_row(request.context, instance.uuid)
    body = views.show(request, row, views.Body.REBUILD)
    body["adminPass"] = asked.get("adminPass") or new_password()
    return Reply({"server": body}, status=202, headers={"Location": urls.self_url(request, "servers", instance.uuid)})


def _resize(request: ApiRequest, instance: Instance) -> None:
    asked = request.body["resize"]
    move_server.resize(request.context, instance, str(asked["flavorRef"]), asked.get("OS-DCF:diskConfig", ""))


def _migrate(request: ApiRequest, instance: Instance) -> None:
    asked = request.body["migrate"]
    host = asked.get("host", "") if request.version >= _TO_HOST and isinstance(asked, dict) else ""
    move_server.migrate(request.context, instance, host)


def _confirm_resize(request: ApiRequest, instance: Instance) -> Reply:
    move_server.confirm(request.context, instance)
    return Reply(status=204)


def _revert_resize(request: ApiRequest, instance: Instance) -> None:
    move_server.revert(request.context, instance)


def _evacuate(request: ApiRequest, instance: Instance) -> Reply:
    asked, is_old = request.body["evacuate"], request.version < _NO_PASSWORD
    if is_true(asked.get("onSharedStorage", False)):
        raise Invalid("Invalid state of instance files on shared storage: the hosts share none.")
    if is_true(asked.get("force", False)) and not asked.get("host"):
        raise Invalid("Can't force to a non-provided destination")
    is_stopped = request.version >= _STOPS
    evacuate_server.evacuate(request.context, instance, asked.get("host") or "", is_stopped=is_stopped)
    return Reply({"adminPass": asked.get("adminPass") or new_password()} if is_old else None, status=200)


def _create_image(request: ApiRequest, instance: Instance) -> Reply:
    asked = request.body["createImage"]
    image = snapshot_server.snapshot(request.context, instance, asked["name"], asked.get("metadata", {}))
    if request.version >= _NAMES_IMAGE:
        return Reply({"image_id": image.id}, status=202)
    return Reply(status=202, headers={"Location": f"{settings.API_URL}/image/v2/images/{image.id}"})


def _reset_state(request: ApiRequest, instance: Instance) -> None:
    reset_state.reset(instance, request.body["os-resetState"]["state"])


def _force_delete(request: ApiRequest, instance: Instance) -> None:
    delete_server.force_delete(request.context, instance)


def _restore(request: ApiRequest, instance: Instance) -> None:
    restore_server.restore(request.context, instance)


def _add_fixed_ip(request: ApiRequest, instance: Instance) -> None:
    server_networks.add_fixed_ip(request.context, instance, str(request.body["addFixedIp"]["networkId"]))


def _remove_fixed_ip(request: ApiRequest, instance: Instance) -> None:
    address = ipaddress.ip_address(request.body["removeFixedIp"]["address"])
    server_networks.remove_fixed_ip(request.context, instance, str(address))


def _add_floating_ip(request: ApiRequest, instance: Instance) -> None:
    asked = request.body["addFloatingIp"]
    server_networks.add_floating_ip(request.context, instance, asked["address"], asked.get("fixed_address", ""))


def _remove_floating_ip(request: ApiRequest, instance: Instance) -> None:
    server_networks.remove_floating_ip(request.context, instance, request.body["removeFloatingIp"]["address"])


def _add_security_group(request: ApiRequest, instance: Instance) -> None:
    server_networks.add_security_group(instance, request.body["addSecurityGroup"]["name"])


def _remove_security_group(request: ApiRequest, instance: Instance) -> None:
    server_networks.remove_security_group(instance, request.body["removeSecurityGroup"]["name"])


def _not_here(request: ApiRequest, instance: Instance) -> None:
    raise NotImplementedHere


def _row(name: str, run: Run, policy: str, body: Any = None, **more: str) -> tuple[str, Action]:
    return name, Action(_on_server(run), _POLICY + policy, body or schemas.named(name), **more)


def _later(name: str, policy: str, **more: str) -> tuple[str, Action]:
    """Return the row of an action that this cloud knows and does not carry out: 501."""
    return _row(name, _not_here, policy, **more)


ACTIONS: dict[str, Action] = dict((
    _row("os-start", _start, "servers:start"),
    _row("os-stop", _stop, "servers:stop"),
    _row("reboot", _reboot, "servers:reboot", schemas.REBOOT),
    _row("rebuild", _rebuild, "servers:rebuild", schemas.REBUILD),
    _row("lock", _lock, "os-lock-server:lock", schemas.LOCK),
    _row("unlock", _unlock, "os-lock-server:unlock"),
    _row("os-getConsoleOutput", _console_output, "os-console-output", schemas.CONSOLE_OUTPUT),
    _row("os-resetState", _reset_state, "os-admin-actions:reset_state", schemas.RESET_STATE),
    _row("forceDelete", _force_delete, "os-deferred-delete:force"),
    _row("restore", _restore, "os-deferred-delete:restore"),
    _row("resize", _resize, "servers:resize", schemas.RESIZE),
    _row("migrate", _migrate, "os-migrate-server:migrate", schemas.MIGRATE),
    _row("confirmResize", _confirm_resize, "servers:confirm_resize"),
    _row("revertResize", _revert_resize, "servers:revert_resize"),
    _row("evacuate", _evacuate, "os-evacuate", schemas.EVACUATE),
    _row("createImage", _create_image, "servers:create_image", schemas.CREATE_IMAGE),
    _row("addFixedIp", _add_fixed_ip, "os-multinic:add", schemas.ADD_FIXED_IP, until="2.43"),
    _row("addFloatingIp", _add_floating_ip, "os-floating-ips:add", schemas.ADD_FLOATING_IP, until="2.43"),
    _row("addSecurityGroup", _add_security_group, "os-security-groups:add", schemas.ADD_SECURITY_GROUP),
    _later("changePassword", "os-admin-password"),
    _later("createBackup", "os-create-backup"),
    _later("injectNetworkInfo", "os-admin-actions:inject_network_info"),
    _later("os-getSPICEConsole", "os-remote-consoles", until="2.5"),
    _later("os-getSerialConsole", "os-remote-consoles", until="2.5"),
    _later("os-getVNCConsole", "os-remote-consoles", until="2.5"),
    _later("os-migrateLive", "os-migrate-server:migrate_live"),
    _later("pause", "os-pause-server:pause"),
    _row("removeFixedIp", _remove_fixed_ip, "os-multinic:remove", schemas.REMOVE_FIXED_IP, until="2.43"),
    _row("removeFloatingIp", _remove_floating_ip, "os-floating-ips:remove", schemas.REMOVE_FLOATING_IP, until="2.43"),
    _row("removeSecurityGroup", _remove_security_group, "os-security-groups:remove", schemas.REMOVE_SECURITY_GROUP),
    _later("rescue", "os-rescue"),
    _later("resume", "os-suspend-server:resume"),
    _later("shelve", "os-shelve:shelve"),
    _later("shelveOffload", "os-shelve:shelve_offload"),
    _later("suspend", "os-suspend-server:suspend"),
    _later("trigger_crash_dump", "servers:trigger_crash_dump", since="2.17"),
    _later("unpause", "os-pause-server:unpause"),
    _later("unrescue", "os-unrescue"),
    _later("unshelve", "os-shelve:unshelve"),
))  # fmt: skip

ROUTES = [route("/servers/<str:server_id>/action", POST=action_endpoint("os_compute_api:servers:action", ACTIONS))]
