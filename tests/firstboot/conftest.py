"""One real cloud for the whole folder: its tests run in order, as a first session does."""

import shutil
from pathlib import Path

import pytest

from tests.fixtures.clouds import CHECKOUT, LocalCloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """A cloud with a real hypervisor, up; it is taken down at the end whatever happened."""
    state_dir = tmp_path_factory.mktemp("firstboot")
    built = CHECKOUT / "var" / "guest"
    if built.is_dir():
        # Debian's packages are fetched once for a checkout.
        shutil.copytree(built, state_dir / "guest")
    one = LocalCloud(state_dir, "libvirt")
    try:
        one.first_output = one.host("up")
        yield one
    finally:
        one.host("down")


@pytest.fixture(autouse=True)
def _show_logs(request, cloud):
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        print(cloud.logs())


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(1200))
