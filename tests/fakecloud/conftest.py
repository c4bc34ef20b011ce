"""One cloud of twenty fake hosts for the whole folder, started and ended as a person does it."""

import pytest

from tests.fixtures.clouds import LocalCloud

HOSTS = 20
RESOURCES = {"instances": -1, "cores": -1, "ram": -1}


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """A cloud that is up; its demo project may have any number of servers."""
    one = LocalCloud(tmp_path_factory.mktemp("fakecloud"), "fake", hosts=HOSTS)
    try:
        one.host("up")
        project = one.connect().current_project_id
        admin = one.connect("novella-admin")
        admin.compute.update_quota_set(project, **RESOURCES)
        admin.network.update_quota(project, port=-1)
        yield one
    finally:
        one.end()


@pytest.fixture(autouse=True)
def _show_logs(request, cloud):
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        print(cloud.logs())
