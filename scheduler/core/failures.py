"""Why a request cannot be decided. No host is at fault, and the next request is decided as ever."""

from contracts.scheduling import Selected


class UndecidedError(Exception):
    """A request cannot be decided. The sentence says why."""


class AbsurdRequestError(UndecidedError):
    """Nobody can mean what the request asks."""


class FilterFailedError(UndecidedError):
    """A filter raised, or its verdict is none."""


class WeigherFailedError(UndecidedError):
    """A weigher raised, or its weights are none."""


def undecided(error: UndecidedError, count: int, hosts_total: int) -> Selected:
    """Return the answer to a request that cannot be decided: no host for any of its servers, and the reason."""
    return Selected(hosts=[[]] * count, hosts_total=hosts_total, nearest_miss=f"Undecided: {error}.")
