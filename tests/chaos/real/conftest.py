"""Clouds of real processes on real PostgreSQL and Redis, and what `make chaos` and `make test` want of them.

CHAOS=full is what `make chaos` runs; without it a part that takes minutes. CHAOS_SEED chooses the sample.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.chaos.real.clouds import ChaosCloud
from tests.chaos.real.postgres import PostgresServer
from tests.fixtures.clouds import CHECKOUT

IS_FULL = os.environ.get("CHAOS") == "full"
SEED = int(os.environ.get("CHAOS_SEED", "3"))
# Everything that a fake host does takes a while, so that it can be interrupted.
# Who deletes a server of these clouds can restore it; `forceDelete` is at once.
KEPT = {"NOVELLA_RECLAIM_INSTANCE_INTERVAL": "3600"}
DAWDLE = {"verb": "*", "uuid": "*", "delay_seconds": 0.25}


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(1500))


@pytest.fixture(scope="session")
def fake_cloud(tmp_path_factory):
    """Three slow fake hosts."""
    one = ChaosCloud(tmp_path_factory.mktemp("chaos"), "fake", 3, postgres=PostgresServer(), **KEPT)
    try:
        one.up()
        one.trouble(DAWDLE)
        yield one
    finally:
        one.end()


@pytest.fixture(scope="session")
def libvirt_cloud(tmp_path_factory):
    """One real host; its guest image is built once for a checkout."""
    if os.geteuid() != 0:
        pytest.skip("a real hypervisor needs root")
    state_dir = tmp_path_factory.mktemp("chaos-libvirt")
    built = CHECKOUT / "var" / "guest"
    if built.is_dir():
        shutil.copytree(built, state_dir / "guest")
    one = ChaosCloud(state_dir, "libvirt", postgres=PostgresServer(), **KEPT)
    try:
        one.up()
        yield one
    finally:
        one.end()


@pytest.fixture
def cloud(request):
    """The cloud that a case names, with everything in its place; what it logged is shown when the test fails."""
    case = getattr(request.node, "callspec", None)
    hypervisor = case.params["case"].hypervisor if case and "case" in case.params else "fake"
    one = request.getfixturevalue(f"{hypervisor}_cloud")
    one.wait_until_whole()
    before = request.session.testsfailed
    yield one
    if request.session.testsfailed > before:
        print(one.logs())
