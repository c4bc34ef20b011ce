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


def test_conductor_and_beat_load_neither_celerys_command_line_nor_flower(tmp_path):
    modules = loaded("import cloud.config, cloud.conductor.__main__, cloud.conductor.beat", tmp_path)
    assert not modules & {"celery.bin.celery", "flower", "tornado"}
