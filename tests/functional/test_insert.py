"""New rows by a statement that is put together by us: the same as Django would have written."""

import pytest
from django.utils import timezone

from cloud.compute.models import Operation, Step
from cloud.core import insert as inserting
from cloud.core.insert import insert
from cloud.placement.models import Allocation, ResourceProvider

pytestmark = pytest.mark.django_db
ODD = {"it's": ["\\ 100 % \N{SNOWMAN}", None, 1.5]}


def make_rows(uuid: str, count: int) -> list[Allocation]:
    provider, _ = ResourceProvider.objects.get_or_create(name="a")
    return [Allocation(provider=provider, consumer_uuid=uuid, resource_class=f"C{number}", used=2**40 + number,
                       project_id="p%s", user_id='"') for number in range(count)]  # fmt: skip


def plain(model, **where):
    """Return rows without what is never the same twice."""
    return [
        {name: value for name, value in row.items() if name not in ("id", "created_at", "consumer_uuid")}
        for row in model.objects.filter(**where).order_by("pk").values()
    ]


def test_rows_are_what_django_would_write(django_assert_num_queries):
    rows = make_rows("by-us", 3)
    with django_assert_num_queries(1):
        insert(rows)
    Allocation.objects.bulk_create(make_rows("by-django", 3))
    assert plain(Allocation, consumer_uuid="by-us") == plain(Allocation, consumer_uuid="by-django") != []
    assert all(row.created_at for row in Allocation.objects.all())


def test_documents_moments_and_defaults():
    now = timezone.now()
    asked = {"instance_uuid": "i", "project_id": "p", "user_id": "u", "request_id": "r", "action": "create",
             "workflow": "build", "plan": ODD, "started_at": now, "updated_at": now, "deadline": now}  # fmt: skip
    insert([Operation(id="by-us", **asked)])
    Operation.objects.create(id="by-django", **asked)
    insert([Step(operation_id="by-us", position=1, name="n", after=["x"])])
    assert plain(Operation, id="by-us") == plain(Operation, id="by-django") != []
    assert Operation.objects.get(id="by-us").plan == ODD
    assert Step.objects.get().after == ["x"]


def test_a_great_many_go_in_several_statements(monkeypatch, django_assert_num_queries):
    rows = make_rows("many", 5)
    monkeypatch.setattr(inserting, "_PARAMETERS", 2 * len(inserting._fields(Allocation)))
    with django_assert_num_queries(3):
        insert(rows)
    assert Allocation.objects.count() == 5


def test_nothing_to_write_is_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert([])
