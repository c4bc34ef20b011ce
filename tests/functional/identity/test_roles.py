"""Roles, what they imply, and who has them where."""

import pytest

from cloud.identity.models import Role
from tests.factories.identity import assign, create_user, token_for
from tests.functional.identity.conftest import Caller

NO_SUCH = "0" * 32


def role_id(name):
    return Role.objects.get(name=name).id


def names(answer):
    return {role["name"] for role in answer.json()["roles"]}


@pytest.fixture
def role(admin):
    return admin.call("POST", "/roles", {"role": {"name": "gardener"}}).json()["role"]


def test_a_role_is_made_shown_changed_and_removed(admin, role):
    path = f"/roles/{role['id']}"
    assert role["domain_id"] is None
    assert role["options"] == {}
    assert admin.call("PATCH", path, {"role": {"name": "florist"}}).json()["role"]["name"] == "florist"
    assert admin.call("GET", "/roles?name=florist").json()["roles"] == [admin.call("GET", path).json()["role"]]
    assert {"admin", "member", "reader"} <= names(admin.call("GET", "/roles"))
    assert admin.call("DELETE", path).status_code == 204
    assert admin.call("GET", path).status_code == 404


def test_the_roles_of_the_foundation_cannot_be_lost_by_mistake(admin):
    path = f"/roles/{role_id('member')}"
    assert admin.call("DELETE", path).status_code == 403
    assert admin.call("PATCH", path, {"role": {"name": "x"}}).status_code == 403
    assert admin.call("PATCH", path, {"role": {"options": {"immutable": False}}}).status_code == 200
    assert admin.call("DELETE", path).status_code == 204


@pytest.mark.parametrize("place", ["project", "domain", "system"])
def test_a_role_is_given_and_taken_in_each_kind_of_place(admin, someone, role, place):
    where = {"project": f"/projects/{admin.project.id}", "domain": "/domains/default", "system": "/system"}[place]
    roles = f"{where}/users/{someone.user.id}/roles"
    path = f"{roles}/{role['id']}"
    assert admin.call("HEAD", path).status_code == 404
    assert admin.call("PUT", path).status_code == 204
    assert admin.call("PUT", path).status_code == 204
    assert admin.call("HEAD", path).status_code == 204
    assert admin.call("GET", path).status_code == 204
    assert names(admin.call("GET", roles)) == {"gardener"}
    assert someone.call("PUT", f"{roles}/{role_id('admin')}").status_code == 403
    assert admin.call("DELETE", path).status_code == 204
    assert admin.call("DELETE", path).status_code == 404
    for wrong in (f"{where}/users/{NO_SUCH}/roles/{role['id']}", f"{roles}/{NO_SUCH}"):
        assert admin.call("PUT", wrong).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_role_counts_and_ceases_to_count_at_the_next_request(admin, someone):
    path = f"/projects/{someone.project.id}/users/{someone.user.id}/roles/{role_id('admin')}"
    assert someone.call("GET", "/users").status_code == 403
    admin.call("PUT", path)
    assert someone.call("GET", "/users").status_code == 200
    admin.call("DELETE", path)
    assert someone.call("GET", "/users").status_code == 403
    admin.call("DELETE", path.replace(role_id("admin"), role_id("member")))
    assert someone.call("GET", "/auth/projects").status_code == 401


def test_a_role_implies_others_and_nothing_implies_admin(admin, role):
    reader = role_id("reader")
    path = f"/roles/{role['id']}/implies/{reader}"
    assert admin.call("HEAD", path).status_code == 404
    made = admin.call("PUT", path)
    assert made.status_code == 201
    assert made.json()["role_inference"]["implies"]["name"] == "reader"
    assert admin.call("GET", path).json() == made.json()
    assert admin.call("HEAD", path).status_code == 204
    listed = admin.call("GET", f"/roles/{role['id']}/implies").json()["role_inference"]
    assert [one["name"] for one in listed["implies"]] == ["reader"]
    everything = admin.call("GET", "/role_inferences").json()["role_inferences"]
    assert {one["prior_role"]["name"] for one in everything} == {"admin", "manager", "member", "gardener"}
    for wrong in (role_id("admin"), role["id"]):
        assert admin.call("PUT", f"/roles/{role['id']}/implies/{wrong}").status_code == 403
    assert admin.call("PUT", f"/roles/{role['id']}/implies/{NO_SUCH}").status_code == 404
    assert admin.call("DELETE", path).status_code == 204
    assert admin.call("DELETE", path).status_code == 404


def test_circles_of_implications_end(admin, someone, role):
    member = role_id("member")
    assert admin.call("PUT", f"/roles/{role['id']}/implies/{member}").status_code == 201
    assert admin.call("PUT", f"/roles/{role_id('reader')}/implies/{role['id']}").status_code == 201
    token = Caller(token_for(someone.user, someone.project))
    held = token("GET", "/auth/tokens", **{"x-subject-token": token.token}).json()["token"]["roles"]
    assert {one["name"] for one in held} == {"member", "reader", "gardener"}


def test_a_domains_own_role_gives_only_what_it_implies(admin, someone):
    own = admin.call("POST", "/roles", {"role": {"name": "clerk", "domain_id": "default"}}).json()["role"]
    other = admin.call("POST", "/domains", {"domain": {"name": "other"}}).json()["domain"]["id"]
    assert own["name"] not in names(admin.call("GET", "/roles"))
    assert names(admin.call("GET", "/roles?domain_id=default")) == {"clerk"}
    assert admin.call("PUT", f"/roles/{role_id('reader')}/implies/{own['id']}").status_code == 403
    assert admin.call("PUT", f"/roles/{own['id']}/implies/{role_id('service')}").status_code == 201
    user = create_user()
    path = f"users/{user.id}/roles/{own['id']}"
    assert admin.call("PUT", f"/domains/{other}/{path}").status_code == 403
    assert admin.call("PUT", f"/projects/{someone.project.id}/{path}").status_code == 204
    token = Caller(token_for(user, someone.project))
    held = token("GET", "/auth/tokens", **{"x-subject-token": token.token}).json()["token"]["roles"]
    assert [one["name"] for one in held] == ["service"]


def test_assignments_are_listed_by_user_role_and_scope(admin, someone):
    assign(someone.user, "reader", domain=someone.user.domain)
    assign(someone.user, "reader", is_system=True)

    def listed(query):
        return admin.call("GET", f"/role_assignments?{query}").json()["role_assignments"]

    user, project = someone.user, someone.project
    assert len(listed(f"user.id={user.id}")) == 3
    [one] = listed(f"scope.project.id={project.id}")
    assert one == {
        "role": {"id": role_id("member")}, "user": {"id": user.id}, "scope": {"project": {"id": project.id}},
        "links": {"assignment": f"http://testserver/identity/v3/projects/{project.id}/users/{user.id}"
                                f"/roles/{role_id('member')}"},
    }
    [one] = listed("scope.system=all")
    assert one["scope"] == {"system": {"all": True}}
    assert {tuple(one["scope"]) for one in listed(f"role.id={role_id('reader')}")} == {("domain",), ("system",)}
    [one] = listed(f"scope.project.id={project.id}&include_names=True")
    assert one["role"]["name"] == "member"
    assert one["user"]["domain"] == {"id": "default", "name": "Default"}
    assert one["scope"]["project"]["domain"] == {"id": "default", "name": "Default"}
    effective = listed(f"scope.project.id={project.id}&effective&include_names")
    assert {one["role"]["name"] for one in effective} == {"member", "reader"}
    implied = next(one for one in effective if one["role"]["name"] == "reader")
    assert implied["links"]["prior_role"].endswith(role_id("member"))
    assert listed("group.id=x") == []
    for wrong in ("scope.system=all&scope.domain.id=x", "user.id=x&group.id=y", "include_subtree"):
        assert admin.call("GET", f"/role_assignments?{wrong}").status_code == 400


def test_a_subtree_of_projects_is_listed_with_its_root(admin, someone):
    child = admin.call("POST", "/projects", {"project": {"name": "c", "parent_id": someone.project.id}}).json()
    admin.call("PUT", f"/projects/{child['project']['id']}/users/{admin.user.id}/roles/{role_id('reader')}")
    found = admin.call("GET", f"/role_assignments?include_subtree&scope.project.id={someone.project.id}").json()
    assert {one["user"]["id"] for one in found["role_assignments"]} == {admin.user.id, someone.user.id}
