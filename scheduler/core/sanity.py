"""What no request can mean, found before it is decided: a server of negative size would make room on its host."""

from contracts.scheduling import RequestSpec
from scheduler.core.failures import AbsurdRequestError
from scheduler.core.table import MOST_DISK_GB, MOST_MEMORY_MB, MOST_VCPUS

# One decision holds up all others for as long as it takes.
MOST_SERVERS = 10_000
_MOST = {"vcpus": MOST_VCPUS, "memory_mb": MOST_MEMORY_MB, "disk_gb": MOST_DISK_GB}


def check(request: RequestSpec, count: int) -> None:
    """Refuse what cannot be meant.

    Raises:
        AbsurdRequestError
    """
    if not 0 <= count <= MOST_SERVERS:
        raise AbsurdRequestError(f"one request asks for {count} servers, of {MOST_SERVERS} at most")
    for name, most in _MOST.items():
        amount = getattr(request, name)
        # RequestSpec checks types only when it is read from the wire; NaN is a float and ends here.
        if not isinstance(amount, int) or not 0 <= amount <= most:
            raise AbsurdRequestError(f"a server asks for {name}={amount!r}, which no machine has")
