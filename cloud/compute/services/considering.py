"""Asking a scheduler where servers would go: a bounded number at a time, so that those to be built need not wait.

The scheduler keeps nothing between two messages. What was chosen so far is told again with each, summed up by host.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from cloud.compute import reasons
from cloud.compute.reasons import Decision
from cloud.core import rpc
from cloud.core.errors import Unavailable
from contracts.scheduling import MOST_CONSIDERED, ConsiderDestinations, Question, RequestSpec, Selected, Taken

_ANSWER_SECONDS = 3.0
_ALL_ANSWERS_SECONDS = 15.0


@dataclass(frozen=True)
class Alike:
    """Servers that ask for the same.

    Attributes:
        keys: what the caller knows each of them by.
        group: of servers, whose members must know of one another; empty for none.
    """

    keys: Sequence[str]
    spec: RequestSpec
    alternates: int = 2
    group: str = ""


class Consideration:
    """Where servers would go, each set of them after those before it."""

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id
        self._taken: dict[str, tuple[int, int, int]] = defaultdict(lambda: (0, 0, 0))
        self._members: dict[str, list[str]] = defaultdict(list)
        self._until = time.monotonic() + _ALL_ANSWERS_SECONDS

    def decide(self, sets: Iterable[Alike]) -> dict[str, Decision]:
        """Return the scheduler's decision for each server, by its key.

        Raises:
            Unavailable: no scheduler answered in time.
        """
        found: dict[str, Decision] = {}
        for together in _messages(sets):
            asked = [self._question(one) for one in together]
            for one, question, selected in zip(together, asked, self._ask(asked), strict=True):
                self._note(one, question.spec, selected)
                found |= {key: reasons.of(selected, index) for index, key in enumerate(one.keys)}
        return found

    def _question(self, one: Alike) -> Question:
        hosts = [*one.spec.group_hosts, *(self._members[one.group] if one.group else ())]
        spec = msgspec.structs.replace(one.spec, group_hosts=hosts)
        return Question(spec=spec, count=len(one.keys), alternates=one.alternates)

    def _ask(self, questions: list[Question]) -> list[Selected]:
        left = self._until - time.monotonic()
        if left <= 0:
            raise Unavailable("The schedulers are too busy for so large a dry run; try again later, or a smaller one.")
        taken = [
            Taken(host=host, vcpus=vcpus, memory_mb=memory_mb, disk_gb=disk_gb)
            for host, (vcpus, memory_mb, disk_gb) in self._taken.items()
        ]
        message = ConsiderDestinations(questions=questions, taken=taken, request_id=self._request_id)
        return rpc.consider(message, min(left, _ANSWER_SECONDS)).answers

    def _note(self, one: Alike, spec: RequestSpec, selected: Selected) -> None:
        """Take what was chosen as taken from now on."""
        for host in (hosts[0] for hosts in selected.hosts if hosts):
            vcpus, memory_mb, disk_gb = self._taken[host]
            self._taken[host] = (vcpus + spec.vcpus, memory_mb + spec.memory_mb, disk_gb + spec.disk_gb)
            if one.group:
                self._members[one.group].append(host)


def _messages(sets: Iterable[Alike]) -> Iterator[list[Alike]]:
    """Yield what fits into one message each: so many servers, and of each group no second set."""
    together: list[Alike] = []
    for part in (part for one in sets for part in _parts(one)):
        servers = sum(len(one.keys) for one in together) + len(part.keys)
        is_in = part.group and any(one.group == part.group for one in together)
        if together and (servers > MOST_CONSIDERED or is_in):
            yield together
            together = []
        together.append(part)
    if together:
        yield together


def _parts(one: Alike) -> Iterator[Alike]:
    for start in range(0, len(one.keys), MOST_CONSIDERED):
        yield Alike(one.keys[start : start + MOST_CONSIDERED], one.spec, one.alternates, one.group)
