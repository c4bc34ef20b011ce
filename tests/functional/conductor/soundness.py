"""No breach of an invariant, once whoever has something to remove has done so."""

import pytest

from cloud.conductor.audit.auditor import audit
from tests.fixtures.workers import Workers

RESIDUE_SECONDS = 120


def assert_sound(workers: Workers) -> None:
    """Wait until the audit finds nothing.

    What an agent that was killed has left is removed when it has told of it twice, and gone when it tells again.
    """
    try:
        workers.wait(lambda: not audit(0.5), RESIDUE_SECONDS)
    except AssertionError:
        pytest.fail(f"the audit still says: {audit(0.5)}")
