"""Why a request cannot be decided. No host is at fault, and the next request is decided as ever."""


class UndecidedError(Exception):
    """A request cannot be decided. The sentence says why."""


class AbsurdRequestError(UndecidedError):
    """Nobody can mean what the request asks."""


class FilterFailedError(UndecidedError):
    """A filter raised, or its verdict is none."""


class WeigherFailedError(UndecidedError):
    """A weigher raised, or its weights are none."""
