"""Fuzzing every route of the OpenAPI document, as an admin and as a member: no answer may be a server error."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.fixtures.clouds import LocalCloud

# A fixed seed makes a failure repeatable; another one explores further: SCHEMATHESIS_SEED=7 make test
SEED = os.environ.get("SCHEMATHESIS_SEED", "20")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "8")


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A cloud of its own: an admin who tries everything also disables domains and deletes users."""
    one = LocalCloud(tmp_path_factory.mktemp("fuzzed"), "fake", hosts=3)
    try:
        one.host("up")
        one.tokens = {who: one.show("token", "issue", cloud=who)["id"] for who in ("novella", "novella-admin")}
        yield one
    finally:
        one.host("down")


# One worker: two threads that read source code at once make CPython 3.11's `ast` fail now and then.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("who", ["novella", "novella-admin"])
def test_no_request_makes_a_server_error(fuzzed, who):
    output = fuzzed.run(
        [
            str(Path(sys.prefix) / "bin" / "schemathesis"), "run", f"{fuzzed.url}/api/schema/",
            "--header", f"X-Auth-Token: {fuzzed.tokens[who]}", "--checks", "not_a_server_error",
            "--phases", "examples,fuzzing", "--max-examples", EXAMPLES, "--seed", SEED, "--workers", "1",
            "--request-timeout", "120", "--no-color", "--suppress-health-check", "all",
        ],
        timeout=1700,
    )
    counts = re.search(r"(\d+) generated, (\d+) passed", output)
    assert counts, output[-3000:]
    assert int(counts[1]) == int(counts[2]) > 500
    assert "unexpected error" not in (fuzzed.state_dir / "log" / "api.log").read_text()
