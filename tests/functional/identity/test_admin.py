"""The admin pages of the identity domain."""

import pytest
from django.contrib import admin as django_admin
from django.test import Client

from cloud.identity.models import ApplicationCredential, QuotaLimit, QuotaUsage, User
from cloud.identity.services import revocations
from tests.factories.identity import PASSWORD, assign, create_project, create_user, token_for
from tests.functional.identity.conftest import Caller

pytestmark = pytest.mark.django_db
django_admin.autodiscover()
MODELS = [model._meta.model_name for model in django_admin.site._registry if model._meta.app_label == "identity"]


@pytest.fixture
def staff():
    user = create_user("root", is_staff=True)
    client = Client()
    answer = client.post("/admin/login/", {"username": "root", "password": PASSWORD, "next": "/admin/"})
    assert answer.status_code == 302
    client.user = user
    return client


@pytest.fixture
def rows(staff):
    """One row of everything; returns the user."""
    user, project = create_user("anna", email="a@b"), create_project("garden")
    role = assign(user, "member", project).role
    credential = ApplicationCredential.objects.create(
        name="robot", user=user, project=project, secret_hash="argon2$very-secret-hash"
    )
    credential.roles.add(role)
    QuotaLimit.objects.create(project_id=project.id, resource="cores", limit=5)
    QuotaUsage.objects.create(project_id=project.id, resource="cores", in_use=3)
    revocations.revoke("audit-x", credential.created_at)
    return user


def test_only_staff_get_in(client):
    create_user("anna")
    answer = client.post("/admin/login/", {"username": "anna", "password": PASSWORD})
    assert answer.status_code == 200
    assert client.get("/admin/").status_code == 302


def test_every_model_of_use_has_its_page():
    assert {"user", "project", "domain", "role", "roleassignment", "applicationcredential", "quotalimit",
            "quotausage", "quotaclasslimit", "revocation"} <= set(MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_lists_and_pages_show_no_secret(staff, rows, model):
    listing = staff.get(f"/admin/identity/{model}/?q=a")
    assert listing.status_code == 200
    shown = listing.content
    registered = {m._meta.model_name: m for m in django_admin.site._registry if m._meta.app_label == "identity"}
    for row in registered[model].objects.all()[:2]:
        page = staff.get(f"/admin/identity/{model}/{row.pk}/change/")
        assert page.status_code == 200
        shown += page.content
    assert b"argon2" not in shown
    assert rows.password.encode() not in shown


@pytest.mark.parametrize("model", ["user", "project", "roleassignment", "applicationcredential"])
def test_a_list_costs_the_same_queries_however_long(staff, rows, model, django_assert_max_num_queries):
    for _ in range(10):
        assign(create_user(), "reader", create_project())
    with django_assert_max_num_queries(12):
        staff.get(f"/admin/identity/{model}/")


@pytest.mark.django_db(transaction=True)
def test_disabling_users_ends_their_tokens(staff, someone):
    assert someone.call("GET", "/auth/projects").status_code == 200
    chosen = {"action": "disable", "_selected_action": [someone.user.id]}
    assert staff.post("/admin/identity/user/", chosen).status_code == 302
    assert someone.call("GET", "/auth/projects").status_code == 401
    staff.post("/admin/identity/user/", {**chosen, "action": "enable"})
    assert User.objects.get(pk=someone.user.id).enabled
    assert someone.call("GET", "/auth/projects").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_taking_a_role_away_counts_at_once(staff, someone):
    assign(someone.user, "reader", create_project())
    call = Caller(token_for(someone.user, someone.project))
    assert call("GET", "/auth/projects").status_code == 200
    pk = someone.user.assignments.get(project=someone.project).pk
    assert staff.post(f"/admin/identity/roleassignment/{pk}/delete/", {"post": "yes"}).status_code == 302
    assert call("GET", "/auth/projects").status_code == 401
