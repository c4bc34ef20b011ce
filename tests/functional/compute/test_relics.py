"""Extensions, and what is gone."""

import pytest

from cloud.compute.api.urls import ROUTES
from cloud.core import policy
from tests.functional.compute.conftest import fault


def test_extensions_are_listed_and_shown(member):
    found = member.get("/extensions").json()["extensions"]
    assert "Hosts" in {one["name"] for one in found}
    assert member.get("/extensions/os-hypervisors").json()["extension"]["name"] == "Hypervisors"
    assert member.get("/extensions/none").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/os-agents"), ("GET", "/os-cells/detail"), ("POST", "/os-networks/add"), ("GET", "/os-fping/x"),
     ("PUT", "/os-floating-ip-dns/a/entries/b"), ("GET", "/servers/x/consoles"), ("POST", "/os-fixed-ips/x/action")],
)  # fmt: skip
def test_what_is_gone_says_so_at_every_version(member, method, path):
    for number in ("2.1", "2.104"):
        answer = member.at(number).send(method, path, {} if method != "GET" else None)
        assert answer.status_code == 410
        assert list(answer.json()) == ["computeFault"]
        assert "no longer available" in fault(answer)


def test_every_endpoint_has_a_row_in_the_policy_table():
    named = {one.policy for route in ROUTES for _, one in route.endpoints() if not one.is_public}
    for route in ROUTES:
        for _, one in route.endpoints():
            named |= {action.policy for action in getattr(one.function, "actions", {}).values()}
    assert named <= set(policy.rows())
