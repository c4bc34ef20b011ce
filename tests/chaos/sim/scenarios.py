"""What is done to a cloud while something goes wrong: a table, with a row or more for every workflow there is."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from cloud.compute.models import Instance
from cloud.conductor.reconcile import listening
from cloud.conductor.schedule import PERIODS
from cloud.networks.models import Port
from compute_agent.drivers.base import PowerState
from compute_agent.drivers.fault_plan import Fault, FaultPlan
from contracts.compute import ImageSpec
from contracts.conductor import RECLAIM
from tests.chaos.sim import documents, uploads
from tests.chaos.sim.clock import EPOCH
from tests.chaos.sim.interruptions import KEPT_SECONDS
from tests.chaos.sim.users import Users
from tests.chaos.sim.verdict import is_settled
from tests.chaos.sim.wire import copy_of, name_of
from tests.chaos.sim.world import World

Deed = Callable[[World, Users], None]


@dataclass(frozen=True)
class Scenario:
    """A workflow under test.

    Attributes:
        workflow: of `graphs.GRAPHS`.
        before: what is done, undisturbed, to come to where it begins.
        deed: the request that begins it.
        after: what is done once it has come to its end, whatever went wrong.
        is_spoilt: whether something goes wrong in any case, so that the way back is gone; nothing else is broken then.
    """

    workflow: str
    deed: Deed
    before: tuple[Deed, ...] = ()
    after: tuple[Deed, ...] = ()
    is_spoilt: bool = False


def _create(count: int) -> Deed:
    return lambda world, users: users.create(count)


def _act(action: str, body: object = None) -> Deed:
    return lambda world, users: users.act(users.living()[0], action, body)


def _attach(world: World, users: Users) -> None:
    body = {"interfaceAttachment": {"net_id": users.network_id}}
    users.send("POST", f"/servers/{users.living()[0]}/os-interface", body)


def _detach(world: World, users: Users) -> None:
    uuid = users.living()[0]
    users.send("DELETE", f"/servers/{uuid}/os-interface/{Port.objects.get(device_id=uuid, position=0).id}")


def _delete(world: World, users: Users) -> None:
    users.delete(users.living()[0])


def _keep(world: World, users: Users) -> None:
    """Let deleted servers be kept from now on, for longer than any case lasts."""
    settings.RECLAIM_INSTANCE_INTERVAL = KEPT_SECONDS


def _wait_for_turn(world: World, users: Users) -> None:
    """Come close to the next look at what is kept: nothing else of interest happens until then."""
    period = PERIODS[RECLAIM]
    world.run(period * 0.8 - (world.clock.now - EPOCH) % period)


def _give_up(world: World, users: Users) -> None:
    """Let what is kept be deleted at the next turn."""
    settings.RECLAIM_INSTANCE_INTERVAL = 1


def _rebuild(image: int) -> Deed:
    return lambda world, users: users.act(users.living()[0], "rebuild", {"imageRef": users.images[image]})


def _cache(world: World, users: Users) -> None:
    """Have every host hold every image, and say so."""
    for host in world.hosts:
        for image_id in users.images:
            host.storage.prepare_image(ImageSpec(
                id=image_id, url="", checksum="0", checksum_algorithm="sha512", disk_format="qcow2", size_bytes=0,
                virtual_size_bytes=0,
            ))  # fmt: skip
        world.report_host(host)


def _power_cut(world: World, users: Users) -> None:
    """The machine of the server is off, and its operator says so."""
    host = Instance.objects.get(uuid=users.living()[0]).host
    world.cut_power(world.host_named(host))
    users.say_down(host)


def _evacuate(version: str, **body: object) -> Deed:
    return lambda world, users: users.act(users.living()[0], "evacuate", body, version)


def _switch_on(world: World, users: Users) -> None:
    """Machines that were off come back, with all that they had."""
    for host in world.hosts:
        world.switch_on(host)


def _say_again(name: str) -> Deed:
    """Let orders of this name come once more, to queues that may have been emptied meanwhile."""

    def say(world: World, users: Users) -> None:
        for queue, one in list(world.wire.orders):
            if name_of(one) == name:
                world.wire.enqueue(queue, copy_of(one))

    return say


def _spoil(*verbs: str) -> Deed:
    """Let the next call of each of these verbs of the drivers fail, on whichever host."""

    def spoil(world: World, users: Users) -> None:
        plan = FaultPlan(*(Fault(verb, error="connection reset by peer", times=1) for verb in verbs))
        for host in world.hosts:
            host.driver.faults = host.storage.faults = host.network.faults = plan

    return spoil


_SERVER = (_cache, _create(1))
_STOPPED = (*_SERVER, _act("os-stop"))
_RESIZED = (*_SERVER, _act("resize", {"flavorRef": "large"}))
_KEPT = (*_SERVER, _keep, _delete)
_MIGRATED = (*_SERVER, _act("migrate"))
_CUT_OFF = (*_SERVER, _power_cut)
_ON, _OFF = _evacuate("2.68"), _evacuate("2.95")


def _spoilt(workflow: str, deed: Deed, before: tuple[Deed, ...], *verbs: str, after: tuple[Deed, ...] = ()) -> Scenario:
    return Scenario(workflow, deed, (*before, _spoil(*verbs)), after, is_spoilt=True)


_SPOILT: dict[str, Scenario] = {
    "build": _spoilt("build", _create(1), (_cache,), "start"),
    "multi-create": _spoilt("build", _create(3), (_cache,), "start"),
    "delete": _spoilt("delete", _delete, _SERVER, "undefine"),
    "soft-delete": _spoilt("soft_delete", _delete, (*_SERVER, _keep), "request_shutdown", "power_off"),
    "restore": _spoilt("restore", _act("restore"), _KEPT, "start"),
    "stop": _spoilt("stop", _act("os-stop"), _SERVER, "request_shutdown", "power_off"),
    "start": _spoilt("start", _act("os-start"), _STOPPED, "start"),
    "reboot": _spoilt("reboot", _act("reboot", {"type": "HARD"}), _SERVER, "start"),
    "rebuild": _spoilt("rebuild", _rebuild(1), _SERVER, "start"),
    "resize": _spoilt("resize", _act("resize", {"flavorRef": "large"}), _SERVER, "start"),
    "resize-sent": _spoilt("resize", _act("resize", {"flavorRef": "large"}), _SERVER, "send_disk"),
    "confirm": _spoilt("confirm_resize", _act("confirmResize"), _RESIZED, "drop_aside"),
    "revert": _spoilt("revert_resize", _act("revertResize"), _RESIZED, "take_back"),
    "snapshot": _spoilt("snapshot", _act("createImage", {"name": "copy"}), _SERVER, "begin_snapshot"),
    "attach": _spoilt("attach_interface", _attach, _SERVER, "set_interfaces"),
    "detach": _spoilt("detach_interface", _detach, _SERVER, "set_interfaces"),
    "evacuate": _spoilt("evacuate", _ON, _CUT_OFF, "start", after=(_switch_on,)),
    "evacuate-reverted": Scenario(
        "evacuate", _ON, (*_RESIZED, _spoil("start"), _act("revertResize"), _power_cut),
        (_say_again("take_back_server"), _switch_on), is_spoilt=True,
    ),
}
SCENARIOS: dict[str, Scenario] = {
    "build": Scenario("build", _create(1)),
    "build-cached": Scenario("build", _create(1), (_cache,)),
    "multi-create": Scenario("build", _create(3), (_cache,)),
    "delete": Scenario("delete", _delete, _SERVER),
    "soft-delete": Scenario("soft_delete", _delete, (*_SERVER, _keep)),
    "soft-delete-stopped": Scenario("soft_delete", _delete, (*_STOPPED, _keep)),
    "soft-delete-resized": Scenario("soft_delete", _delete, (*_RESIZED, _keep)),
    "restore": Scenario("restore", _act("restore"), _KEPT),
    "force-delete": Scenario("delete", _act("forceDelete"), _KEPT),
    "reclaim": Scenario("delete", _give_up, (*_KEPT, _wait_for_turn)),
    "stop": Scenario("stop", _act("os-stop"), _SERVER),
    "start": Scenario("start", _act("os-start"), _STOPPED),
    "reboot": Scenario("reboot", _act("reboot", {"type": "SOFT"}), _SERVER),
    "reboot-hard": Scenario("reboot", _act("reboot", {"type": "HARD"}), _SERVER),
    "rebuild": Scenario("rebuild", _rebuild(1), (_create(1),)),
    "rebuild-cached": Scenario("rebuild", _rebuild(1), _SERVER),
    "resize": Scenario("resize", _act("resize", {"flavorRef": "large"}), _SERVER),
    "resize-stopped": Scenario("resize", _act("resize", {"flavorRef": "large"}), _STOPPED),
    "migrate": Scenario("resize", _act("migrate"), _SERVER),
    "confirm": Scenario("confirm_resize", _act("confirmResize"), _RESIZED),
    "revert": Scenario("revert_resize", _act("revertResize"), _RESIZED),
    "revert-powerless": Scenario("revert_resize", _act("revertResize"), (*_RESIZED, _power_cut), (_switch_on,)),
    "revert-migrate": Scenario("revert_resize", _act("revertResize"), _MIGRATED),
    "delete-resized": Scenario("delete", _delete, _RESIZED),
    "snapshot": Scenario("snapshot", _act("createImage", {"name": "copy"}), _SERVER),
    "attach": Scenario("attach_interface", _attach, _SERVER),
    "attach-stopped": Scenario("attach_interface", _attach, _STOPPED),
    "detach": Scenario("detach_interface", _detach, _SERVER),
    "evacuate": Scenario("evacuate", _ON, (_create(1), _power_cut), (_switch_on,)),
    "evacuate-cached": Scenario("evacuate", _ON, _CUT_OFF, (_switch_on,)),
    "evacuate-stopped": Scenario("evacuate", _OFF, _CUT_OFF, (_switch_on,)),
    "evacuated-from": Scenario("evacuate", _switch_on, (*_CUT_OFF, _ON)),
    **{f"{name}-spoilt": one for name, one in _SPOILT.items()},
}


def prepare(seed: int) -> tuple[World, Users]:
    """Return a cloud whose hosts are all known."""
    world = World(seed)
    users = Users(world)
    users.prepare()
    uploads.install(world)
    documents.install(world)
    for host in world.hosts:
        world.report_host(host)
        world.report_all(host)
    world.run(10.0, world.scheduler.is_ready)
    world.act("conductor", listening.go_on)  # as it does every ten seconds
    return world, users


def set_the_scene(world: World, users: Users, scenario: Scenario) -> None:
    """Do what comes before a scenario, and see that it came out well."""
    for deed in scenario.before:
        deed(world, users)
        assert world.run(60.0, is_settled), "the scene cannot be set"
    world.run(3.0)
    assert all(status < 300 for status in users.answers), users.answers


def power_of(world: World, uuid: str) -> dict[str, PowerState]:
    return {host.name: host.domains()[uuid] for host in world.hosts if uuid in host.domains()}
