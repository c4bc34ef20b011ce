"""A rebuild asks of its host what a build would ask, and holds of it what it needs."""

import pytest

from cloud.compute.models import ComputeNode, Instance, Operation, Step
from cloud.placement.models import Allocation, Inventory, ProviderTrait, ResourceProvider
from cloud.placement.services import claims
from contracts.scheduling import RequestSpec
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image
from tests.functional.compute.conftest import fault
from tests.functional.compute.hosts import make_host

GIB = 1024**3


def build(api, flavor_id="1"):
    body = {"name": "s", "flavorRef": flavor_id, "imageRef": make_image().id, "networks": "none"}
    answer = api.at("2.37").post("/servers", {"server": body})
    assert answer.status_code == 202, answer.content
    instance = Instance.objects.get(uuid=answer.json()["server"]["id"])
    spec = RequestSpec.from_wire(instance.request_spec)
    amounts = {"VCPU": spec.vcpus, "MEMORY_MB": spec.memory_mb, "DISK_GB": spec.disk_gb}
    claims.claim([claims.Claim(instance.uuid, "h1", amounts, instance.project_id, instance.user_id)])
    Instance.objects.filter(pk=instance.pk).update(vm_state="active", task_state="", host="h1")
    return instance.uuid


@pytest.fixture
def server(member):
    make_flavor()
    make_host("h1")
    return build(member)


def rebuild(api, uuid, image, **changes):
    return api.post(f"/servers/{uuid}/action", {"rebuild": {"imageRef": image.id, **changes}})


def held():
    return dict(Allocation.objects.values_list("resource_class", "used"))


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        ({"hw_architecture": "aarch64"}, "does not offer: architecture aarch64"),
        ({"hypervisor_type": "lxc"}, "hypervisor_type lxc"),
        ({"trait:HW_CPU_X86_AVX512F": "required"}, "does not offer: HW_CPU_X86_AVX512F"),
    ],
)
def test_an_image_that_the_scheduler_would_not_put_on_the_host_is_refused(member, server, properties, sentence):
    before = Instance.objects.values().get(uuid=server)
    answer = rebuild(member, server, make_image(properties=properties))
    assert answer.status_code == 400
    assert sentence in fault(answer)
    assert Instance.objects.values().get(uuid=server) == before
    assert not Operation.objects.filter(action="rebuild").exists()


@pytest.mark.parametrize(
    "properties", [{"hw_architecture": "AMD64"}, {"img_hv_type": "kvm"}, {"trait:CUSTOM_GOLD": "required"}]
)
def test_an_image_that_the_host_can_run_is_taken(member, server, properties):
    ProviderTrait.objects.create(provider=ResourceProvider.objects.get(name="h1"), name="CUSTOM_GOLD")
    assert rebuild(member, server, make_image(properties=properties)).status_code == 202
    asked = RequestSpec.from_wire(Instance.objects.get(uuid=server).request_spec)
    assert asked.image_properties or asked.required_traits == ["CUSTOM_GOLD"]


def test_a_rebuild_holds_what_the_build_held(member, server):
    before = held()
    assert rebuild(member, server, make_image(min_disk=1)).status_code == 202
    assert held() == before


@pytest.mark.parametrize("is_cached", [True, False])
def test_an_image_is_fetched_first_unless_the_host_has_it(member, server, is_cached):
    image = make_image()
    ComputeNode.objects.filter(host="h1").update(cached_images=[image.id] if is_cached else [])
    assert rebuild(member, server, image).status_code == 202
    steps = dict(Step.objects.filter(operation__action="rebuild").values_list("name", "state"))
    assert steps == {
        "prepare_image": "skipped" if is_cached else "sent", "rebuild_server": "sent" if is_cached else "pending",
        "finish": "pending",
    }  # fmt: skip
    operation = Operation.objects.get(action="rebuild")
    lasts = (operation.deadline - operation.started_at).total_seconds()
    assert lasts == (180 if is_cached else 1800)


def test_the_image_must_fit_the_flavor_that_the_server_has(member, server):
    for image in (make_image(virtual_size=2 * GIB), make_image(min_disk=2), make_image(min_ram=1024)):
        answer = rebuild(member, server, image)
        assert answer.status_code == 400
        assert "too small" in fault(answer) or "smaller than" in fault(answer)


def test_a_server_whose_size_comes_from_its_image_holds_more_for_a_larger_one(admin):
    make_host("h1")
    make_flavor("0", disk_gb=0)
    uuid = build(admin, "0")
    assert held()["DISK_GB"] == 1
    assert rebuild(admin, uuid, make_image(virtual_size=5 * GIB)).status_code == 202
    assert held() == {"VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 5}
    assert Inventory.objects.get(resource_class="DISK_GB").used == 5
    assert Instance.objects.get(uuid=uuid).request_spec["disk_gb"] == 5


def test_a_larger_image_than_the_host_has_room_for_changes_nothing(admin):
    make_host("h1")
    make_flavor("0", disk_gb=0)
    uuid = build(admin, "0")
    before = held()
    answer = rebuild(admin, uuid, make_image(virtual_size=500 * GIB))
    assert answer.status_code == 409
    assert "no room" in fault(answer)
    assert held() == before
    assert Instance.objects.get(uuid=uuid).task_state == ""


def test_another_projects_server_or_image_is_not_there(member, stranger, server):
    assert rebuild(stranger, server, make_image()).status_code == 404
    answer = rebuild(member, server, make_image(visibility="private", owner="x" * 32))
    assert (answer.status_code, fault(answer)) == (400, "Cannot find image for rebuild")
    assert rebuild(member, server, make_image(status="deactivated")).status_code == 400


USER_DATA, KEYLESS, HOSTNAME = {"user_data": "aGk="}, {"key_name": None}, {"hostname": "a.example"}
FILES, CERTIFICATES = {"personality": []}, {"trusted_image_certificates": None}


@pytest.mark.parametrize(
    ("change", "refused_at", "taken_at"),
    [
        ({"description": None}, "2.18", "2.19"),
        (KEYLESS, "2.53", "2.54"),
        (FILES, "2.57", "2.56"),
        (USER_DATA, "2.56", "2.57"),
        (CERTIFICATES, "2.62", "2.63"),
        ({"hostname": "ab"}, "2.89", "2.90"),
        (HOSTNAME, "2.93", "2.94"),
    ],
)
def test_a_field_is_taken_from_its_microversion_on(member, server, change, refused_at, taken_at):
    image = make_image()
    assert rebuild(member.at(refused_at), server, image, **change).status_code == 400
    assert rebuild(member.at(taken_at), server, image, **change).status_code == 202


@pytest.mark.parametrize(
    "change",
    [
        {"trusted_image_certificates": ["x"]},
        {"key_name": "nobody's"},
        {"user_data": "x"},
        {"accessIPv4": "10.0.0.256"},
        {"metadata": {"k": 1}},
        {"name": "a\nb"},
        {"flavorRef": "1"},
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(member, server, change):
    before = Instance.objects.values().get(uuid=server)
    assert rebuild(member.at("2.104"), server, make_image(), **change).status_code == 400
    assert Instance.objects.values().get(uuid=server) == before


def test_the_answer_is_whole_from_2_75_and_shows_user_data_to_everybody(member, admin, server):
    old = rebuild(member.at("2.74"), server, make_image(), user_data="aGk=").json()["server"]
    assert old["user_data"] == "aGk="
    assert "OS-EXT-STS:task_state" not in old
    Instance.objects.filter(uuid=server).update(task_state="")
    new = rebuild(admin.at("2.104"), server, make_image()).json()["server"]
    assert (new["user_data"], new["OS-EXT-STS:task_state"], new["status"]) == ("aGk=", "rebuilding", "REBUILD")
    assert (new["OS-EXT-SRV-ATTR:host"], new["progress"]) == ("h1", 0)
    assert "OS-EXT-SRV-ATTR:user_data" not in new


def test_the_state_is_looked_at_before_the_image(member, server):
    Instance.objects.filter(uuid=server).update(task_state="deleting")
    answer = rebuild(member, server, make_image(min_ram=10**6))
    assert answer.status_code == 409


def test_a_rebuild_is_an_action_with_an_event(member, server):
    rebuild(member, server, make_image())
    Operation.objects.filter(action="rebuild").update(request_id="req-rebuild")
    shown = member.at("2.51").get(f"/servers/{server}/os-instance-actions/req-rebuild").json()["instanceAction"]
    assert shown["action"] == "rebuild"
    assert "compute_prepare_image" in {one["event"] for one in shown["events"]}
