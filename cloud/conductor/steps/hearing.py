"""What hosts say came of their orders: who may say it, and whether it went well."""

import logging
from collections.abc import Sequence

from cloud.compute.models import Operation
from cloud.compute.services import operations
from cloud.conductor.steps import failing, repeating
from contracts.envelope import Outcome

_log = logging.getLogger(__name__)


def heard(outcomes: Sequence[Outcome], operation_id: str, attempt: int) -> list[Operation]:
    """Return the operation if it waits for these outcomes and they are good.

    If not, it takes its failure path, or its order is given again where the host only refused it.
    """
    found = []
    for operation in operations.enter([operation_id], attempt):
        if not all(is_from_its_host(one, operation) for one in outcomes):
            continue
        failed = next((one for one in outcomes if one.is_failure), None)
        if failed is None:
            found.append(operation)
        elif not repeating.give_again(operation, failed):
            failing.fail(operation, failed.error_code, failed.detail)
    return found


def is_from_its_host(outcome: Outcome, operation: Operation) -> bool:
    """Tell whether an outcome comes from the host that the operation's instance is on; log it if not."""
    if outcome.host == operation.host:
        return True
    _log.warning("host %r speaks of %s, which is on %r", outcome.host, operation.id, operation.host)
    return False
