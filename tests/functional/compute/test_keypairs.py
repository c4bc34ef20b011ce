"""Key pairs."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_public_key,
)

from cloud.identity.services import quotas
from tests.functional.compute.conftest import MINE, fault

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGklYLbqzmqFtQPDcoVqAsgwLKft4JRpYpcVlgyOwUne me@home\n"
FINGERPRINT = "ba:65:47:4b:13:b9:f6:e4:03:4b:5c:55:ee:39:9f:9f"  # ssh-keygen -E md5 -lf KEY


def new_public_key() -> str:
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def post(api, number="2.1", **keypair):
    return api.at(number).post("/os-keypairs", {"keypair": {"name": "k", **keypair}})


@pytest.mark.parametrize(
    ("number", "status", "keys"),
    [
        ("2.1", 200, {"name", "public_key", "fingerprint", "user_id", "private_key"}),
        ("2.2", 201, {"name", "public_key", "fingerprint", "user_id", "private_key", "type"}),
    ],
)
def test_made_pair_fits_together_and_its_private_half_is_shown_once(member, number, status, keys):
    answer = post(member, number)
    assert answer.status_code == status
    made = answer.json()["keypair"]
    assert set(made) == keys
    private = load_pem_private_key(made["private_key"].encode(), None)
    assert private.public_key() == load_ssh_public_key(made["public_key"].encode())
    assert "private_key" not in member.get("/os-keypairs/k").json()["keypair"]


def test_imported_key_is_kept_as_it_is(member):
    answer = post(member, public_key=KEY)
    made = answer.json()["keypair"]
    assert (made["public_key"], made["user_id"]) == (KEY, "user-1")
    assert made["fingerprint"] == FINGERPRINT
    shown = member.get("/os-keypairs/k").json()["keypair"]
    assert shown["fingerprint"] == made["fingerprint"]
    assert (shown["deleted"], shown["deleted_at"], shown["updated_at"]) == (False, None, None)
    assert len(shown["created_at"]) == len("2026-11-23T05:36:08.000000")
    assert member.get("/os-keypairs").json() == {
        "keypairs": [{"keypair": {key: made[key] for key in ("name", "public_key", "fingerprint")}}]
    }


def test_deleted_key_is_gone(member):
    post(member, public_key=KEY)
    answer = member.delete("/os-keypairs/k")
    assert (answer.status_code, answer.content) == (202, b"")
    answer = member.at("2.2").delete("/os-keypairs/k")
    assert (answer.status_code, fault(answer)) == (404, "Keypair k not found for user user-1")
    post(member, public_key=KEY)
    assert member.at("2.2").delete("/os-keypairs/k").status_code == 204


def test_name_is_unique_for_a_user_only(member, stranger):
    post(member, public_key=KEY)
    answer = post(member, public_key=new_public_key())
    assert (answer.status_code, fault(answer)) == (409, "Key pair 'k' already exists.")
    assert post(stranger, public_key=KEY).status_code == 200
    assert stranger.get("/os-keypairs/k").json()["keypair"]["user_id"] == "user-3"


@pytest.mark.parametrize(
    ("number", "body"),
    [
        ("2.1", {"name": ""}), ("2.1", {"name": "x" * 256}), ("2.1", {"name": "a@b"}), ("2.1", {"name": "a.b"}),
        ("2.1", {"name": " k"}), ("2.1", {"name": "k\n"}), ("2.1", {"type": "ssh"}), ("2.2", {"type": "gpg"}),
        ("2.2", {"user_id": "x"}), ("2.1", {"public_key": ""}), ("2.1", {"public_key": None}),
        ("2.1", {"public_key": "ssh-rsa JUNK nova@ubuntu"}), ("2.1", {"public_key": "ssh-rsa " + "A" * 2048 + " o@u"}),
        ("2.1", {"public_key": KEY + "ssh-rsa AAAA evil\n"}), ("2.2", {"type": "x509", "public_key": KEY}),
        ("2.92", {}), ("2.1", {"public_key": "ssh-rsa \u00e9"}),
    ],
)  # fmt: skip
def test_nonsense_is_refused_and_keeps_nothing(member, number, body):
    answer = post(member, number, **body)
    assert answer.status_code == 400
    assert fault(answer)
    assert member.get("/os-keypairs").json() == {"keypairs": []}


def test_names_are_wider_from_2_92(member):
    answer = post(member, "2.92", name="me@home.org", public_key=KEY)
    assert answer.status_code == 201
    assert member.get("/os-keypairs/me@home.org").status_code == 200


def test_certificates_have_fingerprints_of_their_own(member):
    made = post(member, "2.2", type="x509").json()["keypair"]
    assert made["public_key"].startswith("-----BEGIN CERTIFICATE-----")
    assert made["fingerprint"].count(":") == 19
    again = post(member, "2.2", name="k2", type="x509", public_key=made["public_key"]).json()["keypair"]
    assert again["fingerprint"] == made["fingerprint"]


def test_admins_act_for_others_from_2_10(admin, member, stranger):
    made = post(admin, "2.10", user_id="user-1", public_key=KEY).json()["keypair"]
    assert made["user_id"] == "user-1"
    assert member.get("/os-keypairs/k").status_code == 200
    assert len(admin.at("2.10").get("/os-keypairs?user_id=user-1").json()["keypairs"]) == 1
    assert admin.at("2.9").get("/os-keypairs?user_id=user-1").json()["keypairs"] == []
    assert stranger.at("2.10").get("/os-keypairs/k?user_id=user-1").status_code == 403
    assert stranger.at("2.10").delete("/os-keypairs/k?user_id=user-1").status_code == 403
    assert post(stranger, "2.10", user_id="user-1", public_key=KEY).status_code == 403
    assert admin.at("2.10").delete("/os-keypairs/k?user_id=user-1").status_code == 204


def test_pages_from_2_35(member):
    for name in ("c", "a", "b"):
        post(member, name=name, public_key=KEY)
    assert len(member.at("2.34").get("/os-keypairs?limit=1").json()["keypairs"]) == 3
    answer = member.at("2.35").get("/os-keypairs?limit=2").json()
    assert [one["keypair"]["name"] for one in answer["keypairs"]] == ["a", "b"]
    assert answer["keypairs_links"][0]["href"].endswith("/v2.1/os-keypairs?limit=2&marker=b")
    answer = member.at("2.35").get("/os-keypairs?limit=2&marker=b").json()
    assert [one["keypair"]["name"] for one in answer["keypairs"]] == ["c"]
    assert member.at("2.35").get("/os-keypairs?marker=z").status_code == 400
    assert member.at("2.75").get("/os-keypairs?x=y").status_code == 400


def test_quota_of_the_project_holds_for_each_user(member):
    quotas.set_limits(MINE, {"key_pairs": 1})
    assert post(member, public_key=KEY).status_code == 200
    answer = post(member, name="k2", public_key=KEY)
    assert (answer.status_code, fault(answer)) == (403, "Quota exceeded, too many key pairs.")
