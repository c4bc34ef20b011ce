"""The decision: judge every host, rank those that satisfy every rule, pick, and go on as if the pick were taken."""

from typing import NamedTuple

import numpy as np

from contracts.scheduling import RequestSpec, Selected
from scheduler.core import sanity
from scheduler.core.columns import Columns, Mask
from scheduler.core.failures import FilterFailedError
from scheduler.core.filters.base import AfterPick, Filter
from scheduler.core.nearest_miss import near_misses, nearest_miss
from scheduler.core.policies import DEFAULT, POLICIES, Policy
from scheduler.core.ranking import Ranking
from scheduler.core.room import room
from scheduler.core.table import HostTable
from scheduler.core.trace import Trace, Verdict


def select_destinations(
    table: HostTable,
    request: RequestSpec,
    count: int,
    alternates: int,
    rng: np.random.Generator,
    policy: Policy = POLICIES[DEFAULT],
) -> Selected:
    """Choose a host, and others to try if it fails, for each of `count` servers that share one request.

    Each pick takes the earlier ones into account: what they use, and that they are members of the group. The
    table is not changed. Equal hosts are chosen among at random; the same table and `rng` give the same answer.

    Args:
        table: the hosts.
        request: what each of the servers needs.
        count: how many servers.
        alternates: how many further hosts to name for each, best first, never the chosen one.
        rng: where chance comes from.
        policy: rules and preferences.

    Returns:
        A list of hosts for each server, empty where none was found. The trace is that of the first choice, or,
        where a server found no host, that of the choice which failed.

    Raises:
        UndecidedError: the request is absurd, or a filter or weigher failed.
    """
    sanity.check(request, count)
    decision = _Decision(table.columns(request), request, policy)
    picks = decision.pick(count, rng)
    pool = decision.others(len(picks), alternates, rng)
    chosen = _with_alternates(picks, pool, alternates) + [[] for _ in range(count - len(picks))]
    is_short = len(picks) < count
    trace = decision.judge() if is_short else decision.trace
    misses = near_misses(trace, table.name) if is_short else []
    return Selected(
        hosts=[[table.name(one.position) for one in server] for server in chosen],
        trace=trace.counts(),
        first_trace=decision.trace.counts() if is_short and picks else [],
        hosts_total=len(table),
        nearest_miss=nearest_miss(trace, misses) if is_short else "",
        near_misses=misses,
        room=room(trace) if is_short else [],
        weighers=decision.ranking.weighers,
        weights=[[one.parts for one in server] for server in chosen],
    )


class _Candidate(NamedTuple):
    """A host that may be taken, and what each weigher gave it when the decision began."""

    position: int
    parts: list[float]


class _Decision:
    """The state of one decision: the hosts as its own picks leave them, and the candidates that remain."""

    def __init__(self, hosts: Columns, request: RequestSpec, policy: Policy) -> None:
        self._hosts = hosts
        self._request = request
        self._filters = policy.filters
        self._local = [one for one in policy.filters if one.after_pick is AfterPick.THAT_HOST]
        self._global = [one for one in policy.filters if one.after_pick is AfterPick.EVERYBODY]
        self.trace = self.judge()
        self.ranking = Ranking(hosts, request, self.trace.passed(), policy.weighers_for(hosts))
        self._parts: dict[int, list[float]] = {}

    def judge(self) -> Trace:
        """Have every filter judge every host as it stands now."""
        verdicts = [Verdict(one, _judge(one, self._hosts, self._request)) for one in self._filters]
        return Trace(self._hosts, self._request, verdicts)

    def pick(self, count: int, rng: np.random.Generator) -> list[_Candidate]:
        """Return up to `count` hosts; stop at the first server that finds none."""
        picks: list[_Candidate] = []
        while len(picks) < count:
            if picks:
                self._narrow()
            if not len(self.ranking):
                break
            picks.append(self._place(self.ranking.best(rng)))
        return picks

    def _place(self, index: int) -> _Candidate:
        picked = self._candidate(index)
        self._hosts.place(picked.position, self._request)
        host = self._hosts.only(picked.position)
        if all(self._admits(one, host) for one in self._local):
            self.ranking.refresh(index)
        else:
            self.ranking.drop(index)
        return picked

    def _candidate(self, index: int) -> _Candidate:
        position = self.ranking.position(index)
        # A host that was picked before weighs less by now.
        if position not in self._parts:
            self._parts[position] = self.ranking.parts(index)
        return _Candidate(position, self._parts[position])

    def others(self, picked: int, alternates: int, rng: np.random.Generator) -> list[_Candidate]:
        """Return enough of the best hosts that remain for the servers of a batch not to share all their alternates."""
        if not picked or alternates < 1 or not len(self.ranking):
            return []
        best = self.ranking.top(min(len(self.ranking), picked + alternates), rng)
        return [self._candidate(index) for index in best]

    def _narrow(self) -> None:
        """Ask those rules again in which a pick on one host changes the verdict on others."""
        for one in self._global:
            mask = _judge(one, self._hosts, self._request)
            if mask is not None:
                self.ranking.narrow(mask)

    def _admits(self, one: Filter, host: Columns) -> bool:
        mask = _judge(one, host, self._request)
        return mask is None or bool(mask[0])


def _judge(one: Filter, hosts: Columns, request: RequestSpec) -> Mask | None:
    try:
        mask = one.judge(hosts, request)
    except Exception as exc:
        raise FilterFailedError(f"{one.name} failed: {exc!r}") from exc
    if mask is not None and (mask.shape != (hosts.size,) or mask.dtype != np.bool_):
        raise FilterFailedError(f"{one.name} failed: it has no verdict of yes or no for each host")
    return mask


def _with_alternates(
    picks: list[_Candidate], pool: list[_Candidate], alternates: int
) -> list[list[_Candidate]]:
    """Give each pick its own stretch of the pool, going round, without the pick itself."""
    hosts = []
    for number, pick in enumerate(picks):
        stretch = [pool[(number + step) % len(pool)] for step in range(min(alternates + 1, len(pool)))]
        others = [one for one in stretch if one.position != pick.position]
        hosts.append([pick, *others[: max(alternates, 0)]])
    return hosts
