"""Passwords that guests made for themselves: from the host's word to the owner, and back to none."""

import io
import json
import urllib.error
from email.message import Message

import pytest
from django.test import Client

from cloud.compute.models import GuestPassword, Instance
from cloud.compute.services import broker_users, guest_passwords, host_credentials
from cloud.compute.services.keyring import keyring
from compute_agent.network.metadata import asking
from contracts.guests import KEEP_PASSWORD, MOST_PASSWORD_BYTES, PASSWORD_PATH, KeepPassword
from contracts.signing import ORDER, WORD, sign
from tests.factories.instances import make_instance
from tests.functional.compute.conftest import MINE

pytestmark = pytest.mark.django_db


class Wire:
    """Takes a host's requests to the API without a socket."""

    def open(self, request, timeout):
        path = request.full_url.removeprefix("http://127.0.0.1:8000")
        answer = Client().generic("POST", path, request.data, content_type=request.get_header("Content-type"))
        if answer.status_code >= 400:
            raise urllib.error.HTTPError(path, answer.status_code, "refused", Message(), io.BytesIO(answer.content))
        return io.BytesIO(answer.content)


@pytest.fixture
def host(monkeypatch, tmp_path):
    """Return a function that lets this process be the metadata service of a host with a credential."""
    for name in ("allow", "cut_off", "remove"):  # of Redis, which is none of this
        monkeypatch.setattr(broker_users, name, lambda *_: None)
    monkeypatch.setattr(asking, "_opener", Wire())
    monkeypatch.delenv("NOVELLA_API_URL", raising=False)

    def be(name):
        issued = host_credentials.enroll(name, renew=True)
        path = tmp_path / name
        path.write_text(issued.text())
        monkeypatch.setenv("NOVELLA_CREDENTIAL_FILE", str(path))
        monkeypatch.setenv("NOVELLA_HOST", name)
        return issued.key

    yield be
    keyring.forget()


@pytest.fixture
def server(host) -> Instance:
    host("b")
    host("a")
    return make_instance(project_id=MINE, vm_state="active", task_state="", host="a")


def shown(api, server: Instance) -> str:
    return api.get(f"/servers/{server.uuid}/os-server-password").json()["password"]


def test_what_a_guest_stores_its_owner_sees_until_it_is_forgotten(member, reader, stranger, server):
    url = f"/servers/{server.uuid}/os-server-password"
    assert shown(member, server) == ""
    assert asking.keep_password(server.uuid, "") == ("", False)
    assert asking.keep_password(server.uuid, "böse") == ("böse", True)
    assert (shown(member, server), shown(reader, server)) == ("böse", "böse")
    assert asking.keep_password(server.uuid, "") == ("böse", False)
    assert asking.keep_password(server.uuid, "another") == ("böse", False)
    assert (stranger.get(url).status_code, stranger.delete(url).status_code) == (404, 404)
    assert reader.delete(url).status_code == 403
    assert shown(member, server) == "böse"
    assert [member.delete(url).status_code for _ in range(2)] == [204, 204]
    assert shown(member, server) == ""
    assert asking.keep_password(server.uuid, "another") == ("another", True)
    assert shown(member, server) == "another"


def test_a_host_is_heard_for_its_own_servers_only(member, host, server):
    host("b")
    with pytest.raises(OSError, match="404"):
        asking.keep_password(server.uuid, "mine now")
    with pytest.raises(OSError, match="404"):
        asking.keep_password(server.uuid, "")
    assert shown(member, server) == ""
    Instance.objects.update(host="b")
    assert asking.keep_password(server.uuid, "moved") == ("moved", True)


def test_what_moves_keeps_its_password(host, server):
    asking.keep_password(server.uuid, "first")
    Instance.objects.update(host="b")
    host("b")
    assert asking.keep_password(server.uuid, "second") == ("first", False)


def test_a_host_that_was_switched_off_is_not_heard(server):
    host_credentials.suspend("a", "it was loud")
    with pytest.raises(OSError, match="403"):
        asking.keep_password(server.uuid, "x")


def send(wire, **changes):
    return Client().post(f"/{PASSWORD_PATH}", json.dumps({**wire, **changes}), content_type="application/json")


def test_a_word_that_is_not_signed_as_what_it_says_changes_nothing(member, host, server):
    key = host("a")
    word = KeepPassword(host="a", instance_uuid=server.uuid, password="x").to_wire()
    good = sign(key, WORD, KEEP_PASSWORD, word)
    refused = [
        send(word), send(good, password="y"), send(good, host="b"), send(good, host="nobody"), send(good, more=1),
        send(sign(key, ORDER, KEEP_PASSWORD, word)), send(sign(key, WORD, "api.v1.other", word)),
        send(sign(b"k" * 32, WORD, KEEP_PASSWORD, word)), send(good, signature="ä" * 64),
    ]  # fmt: skip
    assert {answer.status_code for answer in refused} == {403}
    assert shown(member, server) == ""
    assert send(sign(key, WORD, KEEP_PASSWORD, {**word, "of_the_next_release": 1})).json()["is_new"] is True


@pytest.mark.parametrize("changes", [
    {"password": "x" * (MOST_PASSWORD_BYTES + 1)}, {"password": 7}, {"host": "a" * 65}, {"signature": None},
    {"password": "a\0b"}, {"instance_uuid": []},
])  # fmt: skip
def test_what_is_no_word_is_refused(server, changes):
    word = {"host": "a", "instance_uuid": server.uuid, "password": "x", "signature": "0" * 64}
    assert send(word, **changes).status_code == 400
    assert not GuestPassword.objects.exists()


def test_of_a_deleted_server_none_is_kept(member, server):
    other = make_instance(project_id=MINE, vm_state="active", task_state="", host="a")
    for one in (server, other):
        asking.keep_password(one.uuid, "x")
    Instance.objects.filter(pk=server.pk).update(deleted=True)
    with pytest.raises(OSError, match="404"):
        asking.keep_password(server.uuid, "")
    assert guest_passwords.prune() == 1
    assert guest_passwords.prune() == 0
    assert shown(member, other) == "x"
