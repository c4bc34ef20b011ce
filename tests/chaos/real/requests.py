"""How each workflow is asked for through the API, and how its server ends when all goes well."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.blank_image import blank_qcow2
from tests.chaos.real.cases import Case
from tests.chaos.real.client import SERVERS, Answer, Client
from tests.fixtures.clouds import wait_until

GONE = "gone"
_PREPARE_SECONDS = 300


@dataclass(frozen=True)
class Call:
    """What is not asked for by an action, but by a method of a server or of something below it."""

    method: str
    path: str = ""
    body: Any = None


_DELETE = Call("DELETE")


@dataclass(frozen=True)
class Request:
    """What asks for a workflow.

    Attributes:
        before: the server's status before it; empty where there is none.
        body: of the action, or the call that it is; None for a build.
        status: how the server ends as asked.
        means: actions that bring a server from ACTIVE to `before`, each with the status that it ends in.
    """

    before: str
    status: str
    body: Callable[["Stage"], Any] | None = None
    means: tuple[tuple[Any, str], ...] = ()


class Stage:
    """One server of one case, and the means to ask for things."""

    def __init__(self, client: Client, name: str, image_file: Path | None) -> None:
        self.client = client
        self.name = name
        self.uuid = ""
        # Hosts whose machines are off, whatever still lies there.
        self.dead_hosts: tuple[str, ...] = ()
        self._image_file = image_file
        self._image = ""

    def find(self, path: str, kind: str, name: str) -> str:
        """Return the id of something by its name."""
        found = self.client.insist("GET", path).body[kind]
        return str(next(one["id"] for one in found if one["name"] == name))

    def flavor(self, name: str = "m1.tiny") -> str:
        """Return the id of a flavor."""
        return self.find("/compute/v2.1/flavors", "flavors", name)

    def network(self) -> str:
        """Return the id of the network that servers are in."""
        return self.find("/network/v2.0/networks", "networks", "demo")

    def image(self) -> str:
        """Return the id of the image that servers are made of."""
        return self._image or self.find("/image/v2/images", "images", "tiny")

    def bring_new_image(self) -> str:
        """Upload an image that no host has, and use it from now on."""
        raw = self._image_file.read_bytes() if self._image_file else blank_qcow2(64 * 2**20)
        body = {"name": self.name, "disk_format": "qcow2", "container_format": "bare"}
        self._image = self.client.insist("POST", "/image/v2/images", body).body["id"]
        path = f"/image/v2/images/{self._image}"
        assert self.client.insist("PUT", f"{path}/file", raw).status == 204
        return self._image

    def create(self) -> Answer:
        """Ask for the server, as often as needed: a client token makes it one server."""
        body = {"server": {"name": self.name, "imageRef": self.image(), "flavorRef": self.flavor(),
                           "networks": [{"uuid": self.network()}]}}
        answer = self.client.insist("POST", SERVERS, body, headers={"X-Client-Token": self.name})
        assert answer.status == 202, f"{answer} {answer.body}"
        self.uuid = answer.body["server"]["id"]
        return answer

    def act(self, body: Any) -> Answer:
        """Ask for an action once; an answer that got lost is no reason to ask twice."""
        if isinstance(body, Call):
            return self.client.call(body.method, f"{SERVERS}/{self.uuid}{body.path}", body.body)
        return self.client.call("POST", f"{SERVERS}/{self.uuid}/action", body)

    def server(self) -> dict[str, Any]:
        """Return the server as the API shows it; empty when it is gone."""
        answer = self.client.insist("GET", f"{SERVERS}/{self.uuid}", timeout=60)
        assert answer.status in (200, 404), f"{answer} {answer.body}"
        return answer.body["server"] if answer.status == 200 else {}

    def status(self) -> str:
        """Return its status, GONE, or an empty text while something is under way."""
        server = self.server()
        if not server:
            return GONE
        return "" if server["OS-EXT-STS:task_state"] or server["status"] == "BUILD" else server["status"]

    def reach(self, status: str) -> None:
        """Wait, with nothing in the way, for a status."""
        ends = (status, "ERROR")
        end = wait_until(lambda: self._one_of(ends), f"{self.name} to be {status}", _PREPARE_SECONDS, 0.2)
        assert end == status, self.server().get("fault")

    def _one_of(self, statuses: tuple[str, ...]) -> str:
        status = self.status()
        return status if status in statuses else ""

    def prepare(self, case: Case) -> None:
        """Bring a server to where the case's workflow begins."""
        request = REQUESTS[case.workflow]
        if not request.before:
            return
        self.create()
        self.reach("ACTIVE")
        for body, status in request.means:
            assert self.act(body_of(body, self)).status in (202, 204)
            self.reach(status)

    def ask(self, workflow: str) -> Answer:
        """Ask for the workflow."""
        if workflow == "build":
            return self.create()
        body = REQUESTS[workflow].body
        assert body is not None
        return self.act(body(self))


def body_of(body: Any, stage: Stage) -> Any:
    """Return a body that is one, or that is made for a stage."""
    return body(stage) if callable(body) else body


def _rebuild(stage: Stage) -> Any:
    return {"rebuild": {"imageRef": stage.image()}}


def _resize(stage: Stage) -> Any:
    return {"resize": {"flavorRef": stage.flavor("m1.small")}}


def _attach(stage: Stage) -> Call:
    return Call("POST", "/os-interface", {"interfaceAttachment": {"net_id": stage.network()}})


def _detach(stage: Stage) -> Call:
    (one,) = stage.client.insist("GET", f"{SERVERS}/{stage.uuid}/os-interface").body["interfaceAttachments"]
    return Call("DELETE", f"/os-interface/{one['port_id']}")


_STOP = {"os-stop": None}
_IS_RESIZED = ((_resize, "VERIFY_RESIZE"),)
REQUESTS: dict[str, Request] = {
    "build": Request("", "ACTIVE"),
    "delete": Request("ACTIVE", GONE, lambda stage: {"forceDelete": None}),
    "soft_delete": Request("ACTIVE", "SOFT_DELETED", lambda stage: _DELETE),
    "restore": Request("SOFT_DELETED", "ACTIVE", lambda stage: {"restore": None}, ((_DELETE, "SOFT_DELETED"),)),
    "stop": Request("ACTIVE", "SHUTOFF", lambda stage: _STOP),
    "start": Request("SHUTOFF", "ACTIVE", lambda stage: {"os-start": None}, ((_STOP, "SHUTOFF"),)),
    "reboot": Request("ACTIVE", "ACTIVE", lambda stage: {"reboot": {"type": "HARD"}}),
    "rebuild": Request("ACTIVE", "ACTIVE", _rebuild),
    "resize": Request("ACTIVE", "VERIFY_RESIZE", _resize),
    "confirm_resize": Request("VERIFY_RESIZE", "ACTIVE", lambda stage: {"confirmResize": None}, _IS_RESIZED),
    "revert_resize": Request("VERIFY_RESIZE", "ACTIVE", lambda stage: {"revertResize": None}, _IS_RESIZED),
    "snapshot": Request("ACTIVE", "ACTIVE", lambda stage: {"createImage": {"name": stage.name}}),
    "attach_interface": Request("ACTIVE", "ACTIVE", _attach),
    "detach_interface": Request("ACTIVE", "ACTIVE", _detach),
    # The API's microversion here is one at which an evacuated server stays off.
    "evacuate": Request("ACTIVE", "SHUTOFF", lambda stage: {"evacuate": {}}),
}
# What has a sample of its own, because a host must die first: test_dead_host.py.
APART = ("evacuate",)
