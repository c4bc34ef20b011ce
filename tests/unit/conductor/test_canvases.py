"""A canvas is a picture of a settled plan: every link names its queue, takes one value at most, and is small."""

import contextlib
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest
from celery.canvas import Signature, maybe_signature

from cloud.conductor import workflows
from cloud.conductor.workflows import (
    building,
    confirming,
    deleting,
    evacuating,
    interfaces,
    moving,
    placing,
    rebooting,
    rebuilding,
    restoring,
    reverting,
    snapshotting,
    soft_deleting,
    starting,
    stopping,
)
from contracts.compute import (
    DestroyServer,
    DiskLink,
    DropAside,
    FixedIpSpec,
    ImageSpec,
    LandServer,
    NetworkSpec,
    PlugVifs,
    PortSpec,
    PrepareImage,
    RebootServer,
    RebuildServer,
    ReceiveDisks,
    SendDisks,
    ServerSpec,
    SetAsideServer,
    SetInterfaces,
    SnapshotServer,
    SpawnServer,
    StartServer,
    StopServer,
    SubnetSpec,
    TakeBackServer,
    VacateServer,
)
from contracts.conductor import (
    BEGIN_EVACUATION,
    BEGIN_LAND,
    BEGIN_REBUILD,
    BEGIN_RECEIVE,
    BEGIN_SEND,
    BEGIN_SPAWN,
    BEGIN_TAKE_BACK,
    CLAIM,
    CLAIM_EVACUATION,
    CLAIM_MOVE,
    FAIL_OPERATION,
    FINISH_CLEARING,
    FINISH_CONFIRM,
    FINISH_DELETE,
    FINISH_EVACUATION,
    FINISH_INTERFACES,
    FINISH_MOVE,
    FINISH_POWER,
    FINISH_REBUILD,
    FINISH_RESTORE,
    FINISH_REVERT,
    FINISH_SNAPSHOT,
    FINISH_SOFT_DELETE,
    FINISH_SPAWN,
    LEAVE_HOST,
    NOTE_OUTCOME,
)
from contracts.scheduling import RequestSpec, SelectDestinations

LIMIT = 16_384
ID = "3c8e1f80-6d2f-4f0c-9f1e-0c1a3a0a2b01"
FENCE = {
    "operation_id": ID, "step": "s", "instance_uuid": ID, "host": "rack-7-host-12", "attempt": 2, "not_after": 1.0,
    "request_id": f"req-{ID}",
}
IMAGE = ImageSpec(
    id=ID, url="http://cloud.example.org:8000/image/blobs/" + "x" * 200, checksum="0" * 128,
    checksum_algorithm="sha512", disk_format="qcow2", size_bytes=1, virtual_size_bytes=2,
)
SUBNET = SubnetSpec(id=ID, cidr="10.0.0.0/24", gateway_ip="10.0.0.1", dns_nameservers=["10.0.0.1", "10.0.0.2"])
PORTS = [
    PortSpec(
        id=ID, mac_address="fa:16:3e:00:00:01", network=NetworkSpec(id=ID, subnets=[SUBNET, SUBNET]),
        fixed_ips=[FixedIpSpec(subnet_id=ID, ip_address="10.0.0.7")],
    )
] * 4
SERVER = ServerSpec(
    uuid=ID, name="instance-00000001", hostname="s", project_id="p" * 32, user_id="u" * 32, vcpus=1, memory_mb=1,
    disk_gb=1, image=IMAGE, ports=PORTS, metadata={"meta": {"k" * 30: "v" * 60}, "public_keys": {"k": "a" * 600}},
    extra_specs={"hw:cpu_policy": "shared"},
)
IDS = [f"{ID[:-4]}{number:04}" for number in range(placing.MAX_OPERATIONS)]

ONE = SelectDestinations(
    operation_ids=IDS[:1], spec=RequestSpec(vcpus=1, memory_mb=1, disk_gb=1), attempt=2, request_id=f"req-{ID}"
)
LINKS = [DiskLink(name=name, url="http://x/" + "a" * 300) for name in ("disk", "disk.eph0")]

CANVASES = {
    "place": lambda: placing.place_servers(
        SelectDestinations(
            operation_ids=IDS, spec=RequestSpec(vcpus=1, memory_mb=1, disk_gb=1), attempt=1, request_id=f"req-{ID}"
        )
    ),
    "place-evacuation": lambda: evacuating.place_evacuation(ONE),
    "place-move": lambda: moving.place_move(ONE),
    "alternates": lambda: placing.claim_alternates(ID, 2, ["a", "b"]),
    "prepare": lambda: building.prepare_host(PrepareImage(image=IMAGE, **FENCE), PlugVifs(server=SERVER, **FENCE)),
    "spawn": lambda: building.spawn_server(SpawnServer(server=SERVER, **FENCE)),
    "clear": lambda: building.clear_host(DestroyServer(**FENCE)),
    "delete": lambda: deleting.delete_server(DestroyServer(is_final=True, **FENCE)),
    "stop": lambda: stopping.stop_server(StopServer(**FENCE)),
    "start": lambda: starting.start_server(StartServer(server=SERVER, **FENCE)),
    "reboot": lambda: rebooting.reboot_server(RebootServer(server=SERVER, **FENCE)),
    "set-aside": lambda: moving.set_aside(SetAsideServer(**FENCE)),
    "send": lambda: moving.send_disks(SendDisks(disks=LINKS, **FENCE)),
    "receive": lambda: moving.prepare_host(ReceiveDisks(disks=LINKS, **FENCE), PlugVifs(server=SERVER, **FENCE)),
    "land": lambda: moving.land(LandServer(server=SERVER, **FENCE)),
    "confirm": lambda: confirming.drop_aside(DropAside(**FENCE)),
    "vacate": lambda: reverting.vacate(VacateServer(**FENCE)),
    "take-back": lambda: reverting.take_back(TakeBackServer(server=SERVER, **FENCE)),
    "snapshot": lambda: snapshotting.snapshot_server(SnapshotServer(image_id=ID, upload_url="http://x", **FENCE)),
    "interfaces": lambda: interfaces.set_interfaces(SetInterfaces(server=SERVER, **FENCE)),
    "soft-delete": lambda: soft_deleting.soft_delete(StopServer(**FENCE)),
    "restore": lambda: restoring.restore(StartServer(server=SERVER, **FENCE)),
    "fetch": lambda: rebuilding.fetch_image(PrepareImage(image=IMAGE, **FENCE)),
    "rebuild": lambda: rebuilding.rebuild_server(RebuildServer(server=SERVER, **FENCE)),
    "evacuation-image": lambda: evacuating.fetch_image(PrepareImage(image=IMAGE, **FENCE)),
    "evacuate": lambda: evacuating.make_server(RebuildServer(server=SERVER, **FENCE)),
    "leave-host": lambda: evacuating.leave_host(DestroyServer(**FENCE)),
}


# Whose steps the control plane sends on by itself. What a host sends on gets its way out where it comes in.
OF_THE_CONTROL_PLANE = ("place", "place-evacuation", "place-move", "alternates", "prepare", "receive")
SLOW = {PrepareImage.NAME, SendDisks.NAME, ReceiveDisks.NAME, SnapshotServer.NAME}
# What workflows are made of.
PARTS = {"failure", "ordering"}


def is_sent_by_a_host(name: str, link: Signature) -> bool:
    return name not in OF_THE_CONTROL_PLANE or link.task == NOTE_OUTCOME


def is_chord(canvas: Signature) -> bool:
    return canvas.task == "celery.chord"


def links(canvas: Signature) -> Iterator[Signature]:
    """Every task of a canvas, in order."""
    if canvas.task == "celery.chain":
        for one in canvas.tasks:
            yield from links(one)
    elif is_chord(canvas):
        for one in canvas.tasks:
            yield from links(one)
        yield from links(canvas.body)
    else:
        yield canvas


def errbacks(canvas: Signature) -> list[Signature]:
    found = list(canvas.options.get("link_error") or [])
    if is_chord(canvas):
        found += canvas.body.options.get("link_error") or []
    return [maybe_signature(one) for one in found]


def test_every_canvas_of_every_workflow_is_here():
    drawn = {name for one in CANVASES.values() for name in one.__code__.co_names}
    for found in pkgutil.iter_modules(workflows.__path__):
        if found.name not in PARTS:
            module = importlib.import_module(f"{workflows.__name__}.{found.name}")
            functions = inspect.getmembers(module, inspect.isfunction)
            assert {name for name, one in functions if one.__module__ == module.__name__} <= drawn, found.name


@pytest.mark.parametrize(("name", "tasks"), [
    ("place", ["scheduler.v1.select_destinations", CLAIM]),
    ("alternates", [CLAIM]),
    ("prepare", [PrepareImage.NAME, NOTE_OUTCOME, PlugVifs.NAME, NOTE_OUTCOME, BEGIN_SPAWN]),
    ("spawn", [SpawnServer.NAME, FINISH_SPAWN]),
    ("clear", [DestroyServer.NAME, FINISH_CLEARING]),
    ("delete", [DestroyServer.NAME, FINISH_DELETE]),
    ("stop", [StopServer.NAME, FINISH_POWER]),
    ("start", [StartServer.NAME, FINISH_POWER]),
    ("reboot", [RebootServer.NAME, FINISH_POWER]),
    ("place-move", ["scheduler.v1.select_destinations", CLAIM_MOVE]),
    ("set-aside", [SetAsideServer.NAME, BEGIN_SEND]),
    ("send", [SendDisks.NAME, BEGIN_RECEIVE]),
    ("receive", [ReceiveDisks.NAME, NOTE_OUTCOME, PlugVifs.NAME, NOTE_OUTCOME, BEGIN_LAND]),
    ("land", [LandServer.NAME, FINISH_MOVE]),
    ("confirm", [DropAside.NAME, FINISH_CONFIRM]),
    ("interfaces", [SetInterfaces.NAME, FINISH_INTERFACES]),
    ("vacate", [VacateServer.NAME, BEGIN_TAKE_BACK]),
    ("take-back", [TakeBackServer.NAME, FINISH_REVERT]),
    ("snapshot", [SnapshotServer.NAME, FINISH_SNAPSHOT]),
    ("soft-delete", [StopServer.NAME, FINISH_SOFT_DELETE]),
    ("restore", [StartServer.NAME, FINISH_RESTORE]),
    ("fetch", [PrepareImage.NAME, BEGIN_REBUILD]),
    ("rebuild", [RebuildServer.NAME, FINISH_REBUILD]),
    ("place-evacuation", ["scheduler.v1.select_destinations", CLAIM_EVACUATION]),
    ("evacuation-image", [PrepareImage.NAME, BEGIN_EVACUATION]),
    ("evacuate", [RebuildServer.NAME, FINISH_EVACUATION]),
    ("leave-host", [DestroyServer.NAME, LEAVE_HOST]),
])  # fmt: skip
def test_the_links_are_these(name, tasks):
    assert [one.task for one in links(CANVASES[name]())] == tasks


@pytest.mark.parametrize("name", CANVASES)
def test_every_link_names_the_queue_of_who_carries_it_out(name):
    for one in links(CANVASES[name]()):
        room = one.task.split(".")[0]
        queue = one.options["queue"]
        if room == "compute":
            assert queue == "compute.rack-7-host-12" + (".slow" if one.task in SLOW else "")
        else:
            assert queue == ("conductor.inbound" if is_sent_by_a_host(name, one) else room)


@pytest.mark.parametrize("name", CANVASES)
def test_only_the_link_that_reads_an_outcome_is_open(name):
    for position, one in enumerate(links(CANVASES[name]())):
        assert one.immutable == (position == 0 or one.task.startswith("compute."))


@pytest.mark.parametrize("name", CANVASES)
def test_results_are_kept_for_what_counts_in_the_control_plane_only(name):
    for one in links(CANVASES[name]()):
        assert one.options["ignore_result"] is (one.task != NOTE_OUTCOME)


@pytest.mark.parametrize("name", OF_THE_CONTROL_PLANE)
def test_one_way_out_for_the_whole_canvas(name):
    (way_out,) = errbacks(CANVASES[name]())
    assert way_out.task == FAIL_OPERATION
    assert way_out.options["queue"] == "conductor"
    assert set(way_out.kwargs) == {"operation_ids", "attempt"}


@pytest.mark.parametrize("name", sorted(set(CANVASES) - set(OF_THE_CONTROL_PLANE)))
def test_a_host_is_given_no_way_out_to_send(name):
    assert not errbacks(CANVASES[name]())


@pytest.mark.parametrize("name", CANVASES)
def test_what_is_published_is_plain_json_below_16_kb(name, published):
    CANVASES[name]().apply_async()
    assert published
    for message in published:
        assert len(message) < LIMIT


@pytest.fixture
def published(redis_server, celery_on):
    """The messages in a real Redis, as they were sent."""
    with celery_on(redis_server.url), contextlib.closing(redis_server.client()) as client:
        yield _Messages(client)


class _Messages:
    def __init__(self, client):
        self._client = client

    def __iter__(self):
        queues = [key for key in self._client.keys("*") if self._client.type(key) == "list"]
        return iter([message for queue in queues for message in self._client.lrange(queue, 0, -1)])

    def __len__(self):
        return len(list(iter(self)))
