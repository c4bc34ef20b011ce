"""A create request that carries a client token makes its servers once."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from cloud.compute.models import ClientToken, Instance, Operation
from cloud.compute.services import create_once
from cloud.identity.models import QuotaUsage
from tests.factories.boot import make_flavor
from tests.factories.instances import make_image
from tests.functional.compute.conftest import MINE, fault


@pytest.fixture
def body(_identities):
    make_flavor()
    return {"name": "s", "flavorRef": "1", "imageRef": make_image().id}


def post(body, token=None, who="member", hint=None):
    headers = {"x-auth-token": who, **({"X-Client-Token": token} if token is not None else {})}
    hints = {"os:scheduler_hints": {"client_token": hint}} if hint is not None else {}
    return Client().post(
        "/compute/v2.1/servers", json.dumps({"server": body, **hints}), content_type="application/json", headers=headers
    )


def test_a_repeated_request_returns_the_first_server(body):
    first, second = post(body, "order-1"), post(body, "order-1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["server"]["id"] == second.json()["server"]["id"]
    assert second.headers["Location"] == first.headers["Location"]
    assert "adminPass" not in second.json()["server"]
    assert (Instance.objects.count(), Operation.objects.count()) == (1, 1)
    assert QuotaUsage.objects.get(project_id=MINE, resource="instances").in_use == 1


def test_stock_clients_send_it_as_a_hint(body):
    first, second = post(body, hint="order-1"), post(body, "order-1")
    assert first.json()["server"]["id"] == second.json()["server"]["id"]
    assert Instance.objects.get().scheduler_hints == {}


def test_several_servers_are_one_request(body):
    many = {**body, "min_count": 3, "return_reservation_id": True}
    assert post(many, "order-1").json() == post(many, "order-1").json()
    assert Instance.objects.count() == 3


def test_without_a_token_every_request_counts(body):
    assert post(body).json()["server"]["id"] != post(body).json()["server"]["id"]


def test_another_request_under_the_same_token_is_refused(body):
    post(body, "order-1")
    answer = post({**body, "name": "other"}, "order-1")
    assert answer.status_code == 409
    assert "belongs to another request" in fault(answer)
    assert Instance.objects.count() == 1


def test_projects_do_not_share_tokens(body):
    make_image()
    assert post(body, "order-1").json()["server"]["id"] != post(body, "order-1", "admin").json()["server"]["id"]


def test_a_refused_request_leaves_its_token_free(body):
    assert post({**body, "flavorRef": "none"}, "order-1").status_code == 400
    assert not ClientToken.objects.exists()
    assert post(body, "order-1").status_code == 202


@pytest.mark.parametrize("columns", [{"deleted": True}, {"vm_state": "soft-delete"}])
def test_a_token_whose_servers_are_deleted_makes_no_new_ones(body, columns):
    post(body, "order-1")
    Instance.objects.update(**columns)
    answer = post(body, "order-1")
    assert answer.status_code == 409
    assert "are deleted" in fault(answer)


def test_a_token_counts_for_a_day(body):
    post(body, "order-1")
    row = ClientToken.objects.get()
    assert create_once.prune() == 0
    ClientToken.objects.update(created_at=row.created_at - timedelta(hours=25))
    assert post({**body, "name": "other"}, "order-1").status_code == 202
    ClientToken.objects.update(created_at=row.created_at - timedelta(hours=25))
    assert create_once.prune() == 1


@pytest.mark.parametrize("token", ["", "a" * 65, "a b", "a\nb", "ä"])
def test_what_is_no_token_is_refused(body, token):
    answer = post(body, hint=token)
    assert answer.status_code == 400
    assert "client token" in fault(answer)
    assert not Instance.objects.exists()


def test_two_tokens_at_once_are_refused(body):
    answer = post(body, "one", hint="two")
    assert answer.status_code == 400
    assert "different client tokens" in fault(answer)
    assert post(body, hint=["one", "one"]).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_concurrent_repetitions_make_one_server(body):
    answers = []

    def ask():
        answers.append(post(body, "order-1"))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.status_code for one in answers} == {202}
    assert len({one.json()["server"]["id"] for one in answers}) == 1
    assert Instance.objects.count() == 1
