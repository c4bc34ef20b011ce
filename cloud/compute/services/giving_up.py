"""What is owed to a host when an operator's word ends an operation that it may have half done."""

from collections.abc import Callable, Iterable

from cloud.compute.models import Operation

WayBack = Callable[[Operation], None]
_ways: dict[str, WayBack] = {}


def register(workflow: str, way: WayBack) -> None:
    """Let `way` follow when an operation of the workflow is given up; it runs in the transaction that ends it."""
    _ways[workflow] = way


def give_up(ended: Iterable[Operation]) -> None:
    """Bring back what operations that were just ended had begun, where their workflow says how."""
    for operation in ended:
        way = _ways.get(operation.workflow)
        if way is not None:
            way(operation)
