"""Tempest's phases 0 and 1 against fake hosts: all pass, none is skipped that the phase intends."""

import pytest

from tests.fixtures.clouds import CHECKOUT

# A few minutes of the phases; `make tempest PHASE=0` and `PHASE=1` run the whole.
SAMPLE = {
    0: r"^tempest\.api\.identity\.v3\.(test_tokens|test_projects|test_users)"
       r"|^tempest\.api\.compute\.(flavors|keypairs|test_quotas|test_versions)",
    1: r"^tempest\.api\.image\.v2\.(test_images_negative|test_images_member|test_images_tags)"
       r"|^tempest\.api\.compute\.servers\.(test_create_server|test_servers|test_list_server_filters)",
}


@pytest.mark.timeout(2400)
@pytest.mark.parametrize("phase", sorted(SAMPLE))
def test_tempest_phase(cloud, phase):
    command = [str(CHECKOUT / "tests" / "tempest" / "run.sh"), "--phase", str(phase), "--regex", SAMPLE[phase]]
    output = cloud.run(command, timeout=2300)
    assert " 0 failed" in output.splitlines()[-1], output
