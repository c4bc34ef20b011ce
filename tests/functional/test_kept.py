"""Statements that are kept say what Django would say anew, on both databases."""

from datetime import UTC, datetime

import pytest
from django.db.models import Case, Exists, F, JSONField, OuterRef, Value, When

from cloud.compute.models import Instance, Operation, Step
from cloud.core.among import Many
from cloud.core.kept import Json, Kept, KeptUpdate
from tests.factories.instances import make_context, make_instance
from tests.factories.operations import begin_build
from tests.fixtures.statements import statements

pytestmark = pytest.mark.django_db
NOW = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.fixture
def builds() -> list[Operation]:
    return [begin_build(make_instance(metadata={"n": number}, host=f"h{number}")) for number in range(5)]


def same(kept: Kept, build, **values) -> None:
    for _ in range(2):
        with statements() as asked:
            found = kept(**values)
        assert found == list(build(**values))
        assert len(asked) <= 1


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_models(builds, count):
    def build(uuids, host):
        return Instance.objects.filter(uuid__in=uuids).exclude(host=host).order_by("id")

    kept = Kept(build)
    values = {"uuids": [one.instance_uuid for one in builds[:count]], "host": "h1"}
    same(kept, build, **values)
    for one, other in zip(kept(**values), build(**values), strict=True):
        assert {**vars(one), "_state": None} == {**vars(other), "_state": None}


@pytest.mark.parametrize("count", [0, 1, 3, 300])
def test_a_list_that_is_one_value(builds, count):
    kept = Kept(lambda uuids, host: Instance.objects.filter(uuid__among=uuids, host__among=host).values_list("uuid"))
    uuids = [one.instance_uuid for one in builds] + ["'); --", *map(str, range(295))]
    hosts = Many(["h0", "h1", "h2", "nowhere"])
    with statements() as asked:
        found = kept(uuids=Many(uuids[:count]), host=hosts)
    assert sorted(found) == sorted((uuid,) for uuid in uuids[: min(count, 3)])
    assert len(asked) == 1
    assert kept(uuids=Many(["x", "y"]), host=hosts) == []
    numbers = Many([one.started_at.year for one in builds])
    assert Operation.objects.filter(started_at__year__among=numbers).count() == len(builds)


def test_values_annotations_and_columns_left_out(builds):
    def rows(attempt):
        return Step.objects.filter(attempt=attempt).order_by("id")

    for pick in (
        lambda attempt: rows(attempt).values_list("after", "operation__plan", "deadline"),
        lambda attempt: rows(attempt).values_list("name", flat=True),
        lambda attempt: rows(attempt).values("name", "after", "operation__request_id"),
    ):
        same(Kept(pick), pick, attempt=1)
    has_steps = Exists(Step.objects.filter(operation=OuterRef("pk")))
    kept = Kept(lambda at: Operation.objects.filter(started_at__lt=at).annotate(has_steps=has_steps).defer("plan"))
    (first, *_) = kept(at=NOW)
    assert first.has_steps
    assert "plan" in first.get_deferred_fields()
    assert first.plan == {}


def test_what_decides_what_is_asked_is_no_value(builds):
    kept = Kept(lambda hosts, host: Instance.objects.filter(**({"host__in": hosts} if hosts else {"host": host})))
    assert len(kept(hosts=["h1", "h2"], host="")) == 2
    assert [one.host for one in kept(hosts=None, host="h3")] == ["h3"]
    assert kept.first(hosts=None, host="") is None


def test_more_than_are_kept_are_asked_for_as_ever(builds):
    kept = Kept(lambda uuids: Instance.objects.filter(uuid__in=uuids))
    assert len(kept(uuids=[one.instance_uuid for one in builds] * 40)) == 5
    assert not kept._known


def test_updates(builds):
    def build(ids, plans, hosts, now):
        plan = Case(*(When(id=one, then=Value(plan, JSONField())) for one, plan in zip(ids, plans, strict=True)))
        host = Case(*(When(id=one, then=Value(host)) for one, host in zip(ids, hosts, strict=True)), default=F("host"))
        rows = Operation.objects.filter(id__in=ids)
        return rows, {"plan": plan, "host": host, "updated_at": now, "trace": {}, "begun": None}

    kept = KeptUpdate(build)
    for tried in (builds[:1], builds[1:2], builds, builds[2:5]):
        values = {"plans": [Json([one.id, {"%s": None}]) for one in tried], "hosts": ["it's %s"] * len(tried)}
        assert kept(ids=[one.id for one in tried], now=NOW, **values) == len(tried)
        for row in Operation.objects.filter(id__in=[one.id for one in tried]):
            assert (row.plan, row.host, row.updated_at) == ([row.id, {"%s": None}], "it's %s", NOW)
    assert kept(ids=["x"], plans=[Json(1)], hosts=["h"], now=NOW) == 0
    assert kept(ids=[], plans=[], hosts=[], now=NOW) == 0


def test_a_value_that_is_not_passed_on_as_it_is_is_refused(builds):
    with pytest.raises(TypeError, match="host"):
        Kept(lambda host: Instance.objects.filter(host=host.upper()))(host="h1")
    with pytest.raises(TypeError, match="plain models"):
        Kept(lambda name: Step.objects.filter(name=name).select_related("operation"))(name="finish")


def test_a_context_sees_what_its_viewer_sees():
    from cloud.core.context import seen_by, viewer

    for context in (make_context(), make_context(roles=frozenset({"admin"})), make_context(project_id="")):
        assert viewer(**seen_by(context)).is_admin == context.is_admin
        assert context.is_admin or viewer(**seen_by(context)).project_id == context.project_id
