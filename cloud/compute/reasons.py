"""What the scheduler said for an operation, as the operation's row keeps it: small, and read back by everybody alike.

The document is `{"decisions": [...]}`, one for each time that the scheduler was asked, the latest last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.errors import TENANT_TEXT, ErrorCode
from contracts.scheduling import NearMiss, Room, Selected

# What a host is that a filter lets through.
PHRASES = {
    "EnabledFilter": "enabled",
    "UpFilter": "up",
    "SoundFilter": "able to take servers",
    "RequestedHostFilter": "as requested",
    "IgnoreHostsFilter": "not ruled out",
    "AvailabilityZoneFilter": "in the availability zone",
    "RamFilter": "with enough memory",
    "VcpuFilter": "with enough vCPUs",
    "DiskFilter": "with enough disk",
    "ImagePropertiesFilter": "fit for the image",
    "TraitsFilter": "with the required traits",
    "SameHostFilter": "with the named servers",
    "DifferentHostFilter": "without the named servers",
    "AffinityFilter": "with the server group",
    "AntiAffinityFilter": "free of the server group",
}
_ALWAYS_TOLD = ("EnabledFilter", "UpFilter")
# A build is tried on three hosts and meets full ones five times; see MAX_BUILD_ATTEMPTS and MAX_CLAIM_CONFLICTS.
MOST_DECISIONS = 8


@dataclass(frozen=True)
class FilterRow:
    """How many hosts a filter was given and how many it let through."""

    name: str
    hosts_in: int
    hosts_out: int

    @property
    def percent(self) -> int:
        """How many of a hundred hosts it let through."""
        return round(100 * self.hosts_out / self.hosts_in) if self.hosts_in else 0


@dataclass(frozen=True)
class Candidate:
    """A host that was chosen, or named beside it, and what each weigher gave it."""

    host: str
    weights: Mapping[str, float]

    @property
    def score(self) -> float:
        """By which hosts are compared."""
        return round(sum(self.weights.values()), 3)


@dataclass(frozen=True)
class Miss:
    """A rule, and the hosts that it alone, or it among the fewest others, keeps from being taken.

    `nearest_hosts`: some of them with what each lacks, None where the rule is not one of size.
    """

    filter: str
    fails: int
    hosts: int
    complaint: str
    unit: str
    nearest_hosts: Sequence[tuple[str, int | None]]


@dataclass(frozen=True)
class Decision:
    """One answer of the scheduler for one server.

    Attributes:
        filters: in the order in which they ran.
        candidates: the chosen host, then the alternates; empty where none was found.
        sentence, near_misses, room: why not, where none was found; see `contracts.scheduling.Selected`.
    """

    attempt: int
    hosts_total: int
    filters: Sequence[FilterRow]
    candidates: Sequence[Candidate] = ()
    sentence: str = ""
    near_misses: Sequence[Miss] = ()
    room: Sequence[Room] = field(default=())

    @property
    def is_placed(self) -> bool:
        """Whether a host was found."""
        return bool(self.candidates)

    @property
    def weighers(self) -> list[str]:
        """Names of the preferences that had a say."""
        return list(self.candidates[0].weights) if self.candidates else []


def kept(trace: Mapping[str, Any], attempt: int, selected: Selected, index: int) -> dict[str, Any]:
    """Return an operation's `trace` with one more decision: what was selected for the server at the index.

    Nothing is added where the scheduler was not asked, because the hosts are those it named before.
    """
    if not selected.trace and not selected.nearest_miss:
        return dict(trace)
    return {"decisions": [*_documents(trace), _document(attempt, selected, index)][-MOST_DECISIONS:]}


def _document(attempt: int, selected: Selected, index: int) -> dict[str, Any]:
    hosts = selected.hosts[index] if index < len(selected.hosts) else []
    rows = (selected.first_trace if hosts else ()) or selected.trace
    document: dict[str, Any] = {
        "attempt": attempt,
        "total": selected.hosts_total,
        "left": [[row.filter, row.hosts_out] for row in rows],
    }
    if hosts:
        # A scheduler of an earlier release says nothing of weights.
        weights = selected.weights[index] if index < len(selected.weights) else [[]] * len(hosts)
        document["weighers"] = selected.weighers
        document["hosts"] = [list(pair) for pair in zip(hosts, weights, strict=False)]
    else:
        document["sentence"] = selected.nearest_miss
        document["misses"] = [one.to_wire() for one in selected.near_misses]
        document["room"] = [[one.vcpus, one.memory_mb, one.disk_gb] for one in selected.room]
    return document


def _documents(trace: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "filters" in trace:  # as an earlier release kept it
        left = [[row["filter"], row["hosts_out"]] for row in trace["filters"]]
        return [{"attempt": 1, "total": trace["hosts_total"], "left": left, "sentence": trace["nearest_miss"]}]
    return list(trace.get("decisions", []))


def read(trace: Mapping[str, Any]) -> list[Decision]:
    """Return the decisions that an operation's `trace` holds."""
    return [_decision(one) for one in _documents(trace)]


def of(selected: Selected, index: int = 0) -> Decision:
    """Return an answer of the scheduler as a decision, without an operation that keeps it."""
    return _decision(_document(1, selected, index))


def _decision(document: Mapping[str, Any]) -> Decision:
    filters, given = [], document["total"]
    for name, left in document["left"]:
        filters.append(FilterRow(name, given, left))
        given = left
    weighers = document.get("weighers", [])
    return Decision(
        attempt=document["attempt"],
        hosts_total=document["total"],
        filters=filters,
        candidates=[
            Candidate(host, dict(zip(weighers, weights, strict=False))) for host, weights in document.get("hosts", [])
        ],
        sentence=document.get("sentence", ""),
        near_misses=[_miss(NearMiss.from_wire(one)) for one in document.get("misses", [])],
        room=[Room(vcpus=one[0], memory_mb=one[1], disk_gb=one[2]) for one in document.get("room", [])],
    )


def _miss(near: NearMiss) -> Miss:
    lacks = near.short_by or [None] * len(near.nearest)
    nearest = list(zip(near.nearest, lacks, strict=False))
    return Miss(near.filter, near.fails, near.hosts, near.complaint, near.unit, nearest)


def explain(decision: Decision) -> str:
    """Return how many hosts each filter left, up to the one that left none: for owners, without names.

    Example: `No valid host was found. 20 hosts: 20 enabled, 20 up, 3 with enough memory, 0 with enough disk.`
    """
    text = TENANT_TEXT[ErrorCode.NO_VALID_HOST]
    if not decision.hosts_total:
        return f"{text} There are no hosts."
    told = []
    for row in decision.filters:
        if row.name in _ALWAYS_TOLD or row.hosts_out < row.hosts_in:
            told.append(f"{row.hosts_out} {PHRASES.get(row.name, row.name)}")
        if not row.hosts_out:
            break
    counted = f"{decision.hosts_total} host{'' if decision.hosts_total == 1 else 's'}"
    return f"{text} {counted}: {', '.join(told)}." if told else f"{text} {counted}."
