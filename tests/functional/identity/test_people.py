"""Users, projects and domains."""

import pytest

from cloud.identity.models import Project, RoleAssignment, User
from cloud.identity.services import quotas
from tests.factories.identity import PASSWORD, assign, create_project, create_user, token_for
from tests.functional.identity.conftest import Caller

pytestmark = pytest.mark.django_db
NO_SUCH = "0" * 32


def names(answer, key):
    return [one["name"] for one in answer.json()[key]]


def test_a_user_is_made_shown_changed_and_removed(admin):
    made = admin.call("POST", "/users", {"user": {
        "name": "eve", "password": "p", "email": "e@x", "description": "d", "hobby": {"chess": [1, None, "9" * 20]},
        "default_project_id": admin.project.id,
    }})
    assert made.status_code == 201
    user = made.json()["user"]
    assert user["links"]["self"] == f"http://testserver/identity/v3/users/{user['id']}"
    assert (user["domain_id"], user["enabled"], user["hobby"]) == ("default", True, {"chess": [1, None, "9" * 20]})
    assert not {"password", "is_staff", "token_generation"} & user.keys()
    assert admin.call("GET", f"/users/{user['id']}").json()["user"] == user
    changed = admin.call("PATCH", f"/users/{user['id']}", {"user": {"email": None, "description": "new"}})
    assert changed.status_code == 200
    assert "email" not in changed.json()["user"]
    assert changed.json()["user"]["hobby"] == {"chess": [1, None, "9" * 20]}
    assert admin.call("DELETE", f"/users/{user['id']}").status_code == 204
    assert admin.call("GET", f"/users/{user['id']}").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/users", {"user": {"name": "taken"}}, 409),
        ("/users", {"user": {"name": "x", "domain_id": NO_SUCH}}, 404),
        ("/users", {"user": {"name": ""}}, 400),
        ("/users", {"user": {"name": "a\nb"}}, 400),
        ("/users", {"user": {"name": "x" * 256}}, 400),
        ("/users", {"user": {"name": "x", "enabled": "yes"}}, 400),
        ("/users", {"user": {"name": "x", "hobby": "a\u0000b"}}, 400),
        ("/users", {"user": {"name": "x", "hobby": 1e29}}, 400),
        ("/users", {"user": {}}, 400),
        ("/users", {}, 400),
        ("/projects", {"project": {"name": "taken"}}, 409),
        ("/projects", {"project": {"name": "x" * 65}}, 400),
        ("/projects", {"project": {"name": ""}}, 400),
        ("/projects", {"project": {"name": "x", "parent_id": NO_SUCH}}, 404),
        ("/projects", {"project": {"name": "x", "is_domain": True}}, 400),
        ("/projects", {"project": {"name": "x", "tags": ["a,b"]}}, 400),
        ("/projects", {"project": {"name": "x", "tags": ["a", "a"]}}, 400),
        ("/domains", {"domain": {"name": "Default"}}, 409),
        ("/domains", {"domain": {"name": "x" * 65}}, 400),
        ("/roles", {"role": {"name": "admin"}}, 409),
        ("/roles", {"role": {"name": "x", "colour": "blue"}}, 400),
        ("/roles", {"role": {"name": "x", "domain_id": NO_SUCH}}, 404),
    ],
)
def test_bad_input_makes_nothing(admin, path, body, status):
    create_user("taken")
    create_project("taken")
    before = User.objects.count(), Project.objects.count()
    answer = admin.call("POST", path, body)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == status
    assert answer.json()["error"]["message"]
    assert (User.objects.count(), Project.objects.count()) == before


def test_a_user_list_knows_its_filters_and_pages(admin):
    for name in ("ann", "anna", "bob"):
        create_user(name, enabled=name != "bob")
    call = admin.call
    assert names(call("GET", "/users?name=ann"), "users") == ["ann"]
    assert set(names(call("GET", "/users?name__startswith=ann"), "users")) == {"ann", "anna"}
    assert names(call("GET", "/users?enabled=False"), "users") == ["bob"]
    assert names(call("GET", "/users?domain_id=elsewhere"), "users") == []
    page = call("GET", "/users?limit=3").json()
    assert len(page["users"]) == 3
    following = page["links"]["next"].removeprefix("http://testserver/identity/v3")
    rest = call("GET", following).json()
    assert len(rest["users"]) == 1
    assert rest["links"]["next"] is None
    assert page["links"]["self"] == "http://testserver/identity/v3/users?limit=3"
    assert call("GET", "/users?limit=-1").status_code == 400


def test_a_list_costs_the_same_queries_however_long(admin, django_assert_max_num_queries):
    for _ in range(20):
        create_project()
    admin.call("GET", "/projects")
    with django_assert_max_num_queries(2):
        assert len(admin.call("GET", "/projects").json()["projects"]) == 21


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users/{user}", {"user": {"enabled": False}}),
        ("/users/{user}", {"user": {"password": "other"}}),
        ("/projects/{project}", {"project": {"enabled": False}}),
        ("/domains/default", {"domain": {"enabled": False}}),
    ],
)
def test_a_token_ends_with_what_it_stands_for_and_does_not_come_back(admin, someone, path, body):
    path = path.format(user=someone.user.id, project=someone.project.id)
    assert someone.call("GET", "/auth/projects").status_code == 200
    assert admin.call("PATCH", path, body).status_code == 200
    assert someone.call("GET", "/auth/projects").status_code == 401
    if path != "/domains/default":
        key = next(iter(body))
        admin.call("PATCH", path, {key: {"enabled": True}})
        assert someone.call("GET", "/auth/projects").status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/users/{user}", "/projects/{project}"])
def test_a_token_ends_when_what_it_stands_for_is_removed(admin, someone, path):
    assert someone.call("GET", "/auth/projects").status_code == 200
    path = path.format(user=someone.user.id, project=someone.project.id)
    assert admin.call("DELETE", path).status_code == 204
    assert someone.call("GET", "/auth/projects").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_users_change_their_own_password(someone):
    path = f"/users/{someone.user.id}/password"
    body = {"user": {"password": "new", "original_password": PASSWORD}}
    assert someone.call("POST", path, {"user": {**body["user"], "original_password": "x"}}).status_code == 401
    assert someone.call("POST", f"/users/{NO_SUCH}/password", body).status_code == 401
    assert Caller().__call__("POST", path, body).status_code == 204
    assert someone.call("GET", "/auth/projects").status_code == 401
    assert someone.call("POST", path, body).status_code == 401


def test_users_see_themselves_and_their_projects_and_nobody_elses(admin, someone):
    call, user = someone.call, someone.user
    assert call("GET", f"/users/{user.id}").json()["user"]["name"] == user.name
    assert names(call("GET", f"/users/{user.id}/projects"), "projects") == [someone.project.name]
    assert names(call("GET", "/auth/projects"), "projects") == [someone.project.name]
    assert call("GET", f"/projects/{someone.project.id}").status_code == 200
    assert call("GET", "/domains/default").status_code == 200
    for path in (f"/users/{admin.user.id}", f"/users/{NO_SUCH}", f"/users/{admin.user.id}/projects", "/users",
                 f"/projects/{admin.project.id}", "/projects", "/domains", "/roles", "/role_assignments"):
        assert call("GET", path).status_code == 403, path


def test_a_system_reader_reads_everything_and_changes_nothing(admin):
    auditor = create_user()
    assign(auditor, "reader", is_system=True)
    call = Caller(token_for(auditor, system={"all": True}))
    for path in ("/users", "/projects", "/domains", "/roles", f"/users/{admin.user.id}"):
        assert call("GET", path).status_code == 200
    assert call("POST", "/users", {"user": {"name": "x"}}).status_code == 403
    assert call("DELETE", f"/users/{admin.user.id}").status_code == 403
    assert call("GET", "/auth/system").json()["system"] == [{"all": True}]


def test_projects_stand_below_a_domain_or_another_project(admin):
    call = admin.call
    parent = call("POST", "/projects", {"project": {"name": "parent", "tags": ["a", "b"]}}).json()["project"]
    assert parent["parent_id"] == parent["domain_id"] == "default"
    assert parent["is_domain"] is False
    child = call("POST", "/projects", {"project": {"name": "child", "parent_id": parent["id"]}}).json()["project"]
    assert child["parent_id"] == parent["id"]
    assert names(call("GET", f"/projects?parent_id={parent['id']}"), "projects") == ["child"]
    assert "child" not in names(call("GET", "/projects?parent_id=default"), "projects")
    assert names(call("GET", "/projects?tags=a,b"), "projects") == ["parent"]
    assert names(call("GET", "/projects?tags=a,c"), "projects") == []
    assert names(call("GET", "/projects?tags-any=a,c"), "projects") == ["parent"]
    assert "parent" not in names(call("GET", "/projects?not-tags-any=a"), "projects")
    assert call("DELETE", f"/projects/{parent['id']}").status_code == 403
    moved = call("PATCH", f"/projects/{child['id']}", {"project": {"parent_id": "default"}})
    assert moved.status_code == 400
    quotas.set_limits(child["id"], {"cores": 1})
    assert call("DELETE", f"/projects/{child['id']}").status_code == 204
    assert call("DELETE", f"/projects/{parent['id']}").status_code == 204
    assert quotas.limits(child["id"])["cores"] == 20


def test_tags_of_a_project(admin):
    path = f"/projects/{admin.project.id}/tags"
    assert admin.call("PUT", f"{path}/red").status_code == 201
    assert admin.call("HEAD", f"{path}/red").status_code == 204
    assert admin.call("PUT", path, {"tags": ["x", "y"]}).json()["tags"] == ["x", "y"]
    assert admin.call("GET", f"{path}/red").status_code == 404
    assert admin.call("DELETE", f"{path}/x").status_code == 204
    assert admin.call("GET", path).json()["tags"] == ["y"]
    assert admin.call("DELETE", path).status_code == 204
    assert admin.call("GET", path).json()["tags"] == []
    assert admin.call("PUT", f"{path}/a,b").status_code == 400


def test_a_domain_goes_only_when_disabled_and_takes_everything_with_it(admin):
    call = admin.call
    domain = call("POST", "/domains", {"domain": {"name": "acme"}}).json()["domain"]
    assert call("GET", "/domains?name=acme").json()["domains"] == [domain]
    user = create_user("ann", domain_id=domain["id"])
    top = call("POST", "/projects", {"project": {"name": "p", "domain_id": domain["id"]}}).json()["project"]
    call("POST", "/projects", {"project": {"name": "q", "parent_id": top["id"]}})
    assign(user, "member", Project.objects.get(pk=top["id"]))
    path = f"/domains/{domain['id']}"
    assert call("DELETE", path).status_code == 403
    assert call("PATCH", path, {"domain": {"enabled": False}}).json()["domain"]["enabled"] is False
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).status_code == 404
    assert not User.objects.filter(name="ann").exists()
    assert not RoleAssignment.objects.filter(user_id=user.id).exists()


def test_unknown_paths_and_methods_are_404(admin):
    for method, path in (("GET", "/nowhere"), ("PUT", "/users"), ("POST", "/ec2tokens"), ("GET", "/users/a%00b")):
        assert admin.call(method, path).status_code == 404
