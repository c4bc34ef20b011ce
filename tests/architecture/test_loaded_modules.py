"""What the processes load when they run. Import contracts read the code; libraries load more than they show."""

import os
import subprocess
import sys

import pytest

WITHOUT_DJANGO = {
    "scheduler": "from scheduler.service import app, settings; app.SchedulerService(settings.Settings())",
    "agent": """
from pathlib import Path
from compute_agent import app, bootstrap, settings
given = settings.Settings(Path("/nowhere"), "redis://127.0.0.1:1/0", ("h",), hypervisor="fake")
app.build_app(given, bootstrap.build_agent(given))
""",
    "flower": "import host.flower",
}


def loaded(program, tmp_path):
    """Return the names of the modules that a program has loaded, in an environment as the control plane's is."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cloud.config.settings", "REDIS_URL": "redis://127.0.0.1:1/0",
        "NOVELLA_STATE_DIR": str(tmp_path),
    }
    said = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        env=environment, capture_output=True, text=True, check=True, timeout=300,
    )
    return set(said.stdout.split())


@pytest.mark.parametrize("process", WITHOUT_DJANGO)
def test_celery_brings_no_django_to_those_that_have_none(process, tmp_path):
    # Kombu looks for one class of Django, wherever it is installed.
    assert not loaded(WITHOUT_DJANGO[process], tmp_path) & {"django.conf", "django.db", "cloud"}


def test_a_conductor_loads_neither_celerys_command_line_nor_flower_nor_what_the_api_answers_with(tmp_path):
    modules = loaded("""
import cloud.conductor.__main__
from celery.app.utils import find_app
find_app("cloud.config").loader.init_worker()
import cloud.compute.models  # Django is set up
""", tmp_path)
    ours = {"cloud.config.urls", "cloud.core.http", "cloud.compute.admin", "cloud.compute.api.urls"}
    assert not modules & (ours | {"celery.bin.celery", "flower", "tornado", "rest_framework.views", "jsonschema"})


def test_beat_loads_its_lease_and_nothing_of_the_rooms(tmp_path):
    modules = loaded("""
from celery import beat as service
from celery.app.utils import find_app
from cloud.conductor import beat
app = find_app("cloud.config.beat")
app.loader.init_worker()
service.Service(app, scheduler_cls=beat._SCHEDULER).scheduler
""", tmp_path)
    rooms = {"cloud.identity", "cloud.compute", "cloud.networks", "cloud.images", "cloud.placement"}
    assert "cloud.core.leases" in modules
    more = {"cloud.conductor.tasks", "celery.bin.celery", "rest_framework", "django.contrib.admin"}
    assert not modules & (rooms | more)


def test_make_up_loads_the_sdk_only_when_it_has_something_to_make(tmp_path):
    assert "openstack" not in loaded("import host.__main__, host.up", tmp_path)
