"""What users do, through the API's own handlers."""

import json
from typing import Any

from cloud.compute.models import Flavor, Instance, Service
from cloud.core import context
from cloud.core.context import RequestContext
from cloud.identity.models import Domain, Project
from cloud.identity.services import quotas
from cloud.images.models import Image
from cloud.networks.models import BandwidthLimit, FixedIp, Network, Port, QosPolicy, Router, Subnet
from cloud.networks.models.device_owners import ROUTER_INTERFACE
from tests.chaos.sim.http import Api
from tests.chaos.sim.world import World

PROJECT = "1" * 32
USER = "2" * 32
ROLES = frozenset({"admin", "manager", "member", "reader"})
_PREFIX = "/compute/v2.1"
_VERSION = "2.96"


class Users:
    """One project's users, with an operator among them.

    Attributes:
        accepted: in which states the servers may rest of which something was asked in the middle of something else.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._api = Api()
        self.answers: list[int] = []
        self.accepted: dict[str, frozenset[str]] = {}

    def prepare(self) -> None:
        """Make what servers are made from."""
        context._authenticators[:] = [
            lambda token, request_id: RequestContext(request_id, USER, project_id=PROJECT, roles=ROLES)
        ]
        domain, _ = Domain.objects.get_or_create(id="default", defaults={"name": "Default"})
        Project.objects.get_or_create(id=PROJECT, defaults={"name": "people", "domain": domain})
        quotas.set_limits(PROJECT, {"instances": -1, "cores": -1, "ram": -1})
        for flavor_id, vcpus in (("small", 1), ("large", 2)):
            Flavor.objects.create(flavorid=flavor_id, name=flavor_id, vcpus=vcpus, memory_mb=512 * vcpus, disk_gb=1)
        self.images = [self._image(number) for number in range(2)]
        # Each server's port has a limit, so that it is looked for wherever the server is.
        policy = QosPolicy.objects.create(name="slow", project_id=PROJECT)
        BandwidthLimit.objects.create(policy=policy, direction="egress", max_kbps=1000)
        network = Network.objects.create(name="net", project_id=PROJECT, segmentation_id=1, qos_policy=policy)
        Subnet.objects.create(
            network=network, project_id=PROJECT, cidr="10.0.0.0/20", gateway_ip="10.0.0.1",
            allocation_pools=[{"start": "10.0.0.2", "end": "10.0.15.254"}],
        )
        Subnet.objects.create(
            network=network, project_id=PROJECT, ip_version=6, cidr="fd00::/64", gateway_ip="fd00::1",
            ipv6_ra_mode="slaac", ipv6_address_mode="slaac",
        )
        self.network_id = network.id
        self._make_router(network)

    @staticmethod
    def _make_router(network: Network) -> None:
        """Make the network's gateway a router that waits for its first host."""
        router = Router.objects.create(name="router", project_id=PROJECT)
        port = Port.objects.create(
            network=network, project_id=PROJECT, device_id=router.id, device_owner=ROUTER_INTERFACE, router=router,
            mac_address="fa:16:3e:00:00:01", status="ACTIVE", port_security_enabled=False,
        )  # fmt: skip
        for subnet in network.subnets.all():
            FixedIp.objects.create(port=port, subnet=subnet, ip_address=subnet.gateway_ip)

    @staticmethod
    def _image(number: int) -> str:
        image = Image.objects.create(
            name=f"image-{number}", owner=PROJECT, status="active", visibility="public", disk_format="qcow2",
            container_format="bare", size=1000, virtual_size=1000, os_hash_algo="sha512", os_hash_value="0" * 128,
        )
        return str(image.id)

    def send(self, method: str, path: str, body: Any = None, version: str = _VERSION) -> Any:
        """Send a request; the answer is None where the API died of it."""
        answers: list[Any] = []
        self.world.act("api", lambda: answers.append(self._send(method, path, body, version)))
        self.answers.append(answers[0].status_code if answers else 0)
        return answers[0] if answers else None

    def _send(self, method: str, path: str, body: Any, version: str) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        return self._api.ask(method, _PREFIX + path, raw, x_auth_token="user", x_openstack_nova_api_version=version)

    def create(self, count: int = 1, image: int = 0, **more: Any) -> None:
        server = {
            "name": "s", "flavorRef": "small", "imageRef": self.images[image], "min_count": count, "max_count": count,
            "networks": [{"uuid": self.network_id}], **more,
        }  # fmt: skip
        self.send("POST", "/servers", {"server": server})

    def act(self, uuid: str, action: str, body: Any = None, version: str = _VERSION) -> None:
        self.world.has_operator_spoken |= action == "os-resetState"
        self.send("POST", f"/servers/{uuid}/action", {action: body}, version)

    def delete(self, uuid: str) -> None:
        self.send("DELETE", f"/servers/{uuid}")

    def say_down(self, host: str, *, is_down: bool = True) -> None:
        """Say that a machine is off, or that it may be up again."""
        service = Service.objects.get(binary="nova-compute", host=host)
        self.send("PUT", f"/os-services/{service.uuid}", {"forced_down": is_down})

    @staticmethod
    def living() -> list[str]:
        return list(Instance.objects.filter(deleted=False).order_by("id").values_list("uuid", flat=True))
