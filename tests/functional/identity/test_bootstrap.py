"""The accounts of a new installation."""

import stat

import pytest
import yaml
from django.core.management import CommandError, call_command

from cloud.identity.models import Project, Role, User
from cloud.identity.passwords import hashed
from cloud.identity.services.issue_token import issue_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def state(tmp_path, settings):
    settings.STATE_DIR = tmp_path
    return tmp_path / "clouds.yaml"


def clouds(path):
    return yaml.safe_load(path.read_text())["clouds"]


def log_in(entry):
    auth = entry["auth"]
    user = {"name": auth["username"], "password": auth["password"], "domain": {"name": auth["user_domain_name"]}}
    scope = {"project": {"name": auth["project_name"], "domain": {"name": auth["project_domain_name"]}}}
    return issue_token({"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}).grant


def test_a_new_installation_can_be_logged_in_to_by_its_file(state):
    call_command("bootstrap")
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    demo, admin = clouds(state)["novella"], clouds(state)["novella-admin"]
    assert demo["auth"]["auth_url"].endswith("/identity/v3")
    assert {role.name for role in log_in(demo).roles} == {"member", "reader"}
    assert {role.name for role in log_in(admin).roles} == {"admin", "manager", "member", "reader"}
    assert set(Project.objects.values_list("name", flat=True)) == {"admin", "demo", "service"}
    assert set(Role.objects.values_list("name", flat=True)) == {"admin", "manager", "member", "reader", "service"}
    assert User.objects.get(name="admin").assignments.filter(is_system=True).exists()
    assert list(User.objects.filter(is_staff=True).values_list("name", flat=True)) == ["admin"]


def test_a_second_run_changes_nothing(state, capsys):
    call_command("bootstrap")
    before = state.read_text(), state.stat().st_mtime_ns, list(User.objects.values_list("password", flat=True))
    capsys.readouterr()
    call_command("bootstrap")
    after = state.read_text(), state.stat().st_mtime_ns, list(User.objects.values_list("password", flat=True))
    assert after == before
    assert capsys.readouterr() == ("", "")


def test_a_lost_file_gives_new_passwords_and_a_lost_database_the_old_ones(state):
    call_command("bootstrap")
    old = clouds(state)
    state.unlink()
    call_command("bootstrap")
    new = clouds(state)
    assert new["novella"]["auth"]["password"] != old["novella"]["auth"]["password"]
    assert log_in(new["novella"])
    User.objects.all().delete()
    call_command("bootstrap")
    assert clouds(state) == new
    assert log_in(new["novella-admin"])


def test_other_clouds_stay_in_the_file_and_a_broken_file_is_not_overwritten(state):
    state.write_text("clouds: {elsewhere: {auth: {}}}")
    call_command("bootstrap")
    assert set(clouds(state)) == {"elsewhere", "novella", "novella-admin"}
    state.write_text("clouds: [")
    with pytest.raises(CommandError, match="move it away"):
        call_command("bootstrap")
    assert state.read_text() == "clouds: ["


def test_a_password_that_was_changed_since_is_left_alone_and_said(state, capsys):
    call_command("bootstrap")
    changed = hashed("changed")
    User.objects.filter(name="demo").update(password=changed)
    call_command("bootstrap")
    assert User.objects.get(name="demo").password == changed
    assert "password of demo" in capsys.readouterr().err
