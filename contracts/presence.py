"""How a process without a database says that it is there: a field of a hash in Redis, stamped by Redis' own clock."""

from collections.abc import Iterator, Mapping

from contracts.routing import HOST_NAME

PRESENCE = "novella.presence"
SAY_SECONDS = 10.0
PRESENT_SECONDS = 45
_BINARIES = frozenset({"nova-scheduler"})


def presence_field(binary: str, host: str) -> str:
    """Return the field of a process."""
    return f"{binary}/{host}"


def read_presence(said: Mapping[str, str]) -> Iterator[tuple[str, str, int]]:
    """Yield (binary, host, seconds since the epoch) of whatever in the hash makes sense."""
    for name, at in said.items():
        binary, _, host = name.partition("/")
        if binary in _BINARIES and HOST_NAME.fullmatch(host) and at.isdigit():
            yield binary, host, int(at)
