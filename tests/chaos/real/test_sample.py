"""A seeded choice of fault points, met by real processes that die by SIGKILL: what was asked for comes about.

The sample is printed with its seed. One case alone: pytest tests/chaos/real/test_sample.py -k fake-build-claim_...
"""

import os
import time

import pytest

from cloud.compute.services.graphs import GRAPHS, PLUG_VIFS, PREPARE_IMAGE
from tests.chaos.real.cases import ON_ONE_HOST, sample
from tests.chaos.real.conftest import IS_FULL, SEED
from tests.chaos.real.moments import MomentMissed, Strike
from tests.chaos.real.requests import APART, GONE, REQUESTS, Stage
from tests.chaos.real.verdicts import judge
from tests.fixtures.clouds import wait_until

# How many of them run: in `make chaos`, in `make test`.
COUNTS = {"fake": (40, 9), "libvirt": (20, 3)}
WORKFLOWS = {"fake": tuple(name for name in REQUESTS if name not in APART), "libvirt": ON_ONE_HOST}
# What an operation goes on as, and nobody can ask for.
FOLLOWING = {"clear_host", "undo_evacuation"}
# The longest that a host may keep what an interrupted order left: it is seen twice before it is removed.
CLEAN_SECONDS = 180
# How often a moment is aimed at that goes by before anybody sees it, as it may on a busy machine.
AIMS = 4


def _chosen(hypervisor):
    count = int(os.environ.get("CHAOS_CASES", COUNTS[hypervisor][0 if IS_FULL else 1]))
    return sample(hypervisor, WORKFLOWS[hypervisor], SEED, count)


CASES = [*_chosen("fake"), *_chosen("libvirt")]


def test_every_workflow_can_be_chosen():
    assert set(GRAPHS) - FOLLOWING == set(REQUESTS), "say in requests.py how the new workflow is asked for"


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_what_was_asked_for_comes_about(cloud, case, request):
    number = CASES.index(case) + 1
    for aim in range(1, AIMS + 1):
        stage = Stage(cloud.client, f"case{number}-{aim}-{case.workflow.replace('_', '-')}", _image_file(cloud))
        _prepare(stage, case)
        strike = Strike(cloud, stage, case)
        try:
            strike.run()
        except MomentMissed:
            if strike.struck_at or aim == AIMS:
                raise
        # Where nothing was struck nothing is proved but that it ends as asked.
        verdict = judge(cloud, stage, case, strike.struck_at or time.monotonic())
        hit = "" if strike.struck_at else "missed, aimed at again: "
        print(f"\nseed {SEED}, {number:2} of {len(CASES)}: {case.hypervisor}, {case}: {hit}{verdict}")
        _delete(cloud, stage)
        if strike.struck_at:
            break


def _prepare(stage, case):
    is_fetching = case.step in (PREPARE_IMAGE, PLUG_VIFS)
    if is_fetching and case.workflow == "build":
        stage.bring_new_image()
    stage.prepare(case)
    if is_fetching and case.workflow != "build":
        stage.bring_new_image()


def _image_file(cloud):
    return cloud.state_dir / "guest" / "tiny.qcow2" if cloud.hypervisor == "libvirt" else None


def _delete(cloud, stage):
    if stage.status() != GONE:
        cloud.client.delete_at_once(stage.uuid)
        wait_until(lambda: stage.status() == GONE, f"{stage.name} to be gone", CLEAN_SECONDS)
    deadline = time.monotonic() + CLEAN_SECONDS
    while left := cloud.left_on_hosts(stage.uuid):
        assert time.monotonic() < deadline, f"of {stage.name} is left {left}"
        time.sleep(1)
