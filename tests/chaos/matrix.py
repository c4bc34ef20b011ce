"""The crash matrix, in one process after another: every workflow x every boundary x every fault that fits there.

    python -m tests.chaos.matrix [PATTERN] [--seed 7] [--share 0.1] [--jobs 2] [--keep FOLDER] [--list] [--verbose]

Every case runs in a copy (by fork) of a cloud in which its scene is set, by the virtual clock. A case is named
`scenario/NUMBER.process.message.what.point/fault`; PATTERN is part of such names, and of what runs then.
With a folder, a run that was cut off goes on with the scenarios that lack; each says when it is done.
The database is SQLite in memory, or what DATABASE_URL names: an empty PostgreSQL, of which every case has a copy.
"""

import argparse
import fnmatch
import gc
import os
import pickle
import random
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.chaos.kept import Kept, Tell

SEED = 7
_REAL_SECONDS = 600  # of a machine that has better things to do: one that hangs waits for ever
_clock = time.perf_counter


def in_a_copy(job: Callable[[], Any]) -> Any:
    """Return what a job returns in a fork of this process. What kills the copy is returned as text."""
    from tests.chaos.sim.database import own_copy

    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        signal.alarm(_REAL_SECONDS)
        try:
            with os.fdopen(writer, "wb") as stream, own_copy():
                pickle.dump(job(), stream)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent hears of it
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(pid, 0)
    return pickle.loads(told) if status == 0 else f"the copy died with {status}"  # noqa: S301 - our own copy wrote it


def run_scenario(name: str, options: argparse.Namespace, tell: Tell) -> None:
    """Set a scene once, and run the chosen cases of it, each in a copy."""
    from tests.chaos.sim.database import own_copy

    with own_copy():
        _run_cases(name, options, tell)


def _run_cases(name: str, options: argparse.Namespace, tell: Tell) -> None:
    from tests.chaos.sim import cases, database
    from tests.chaos.sim.scenarios import SCENARIOS

    stage = cases.Stage(name, SCENARIOS[name], options.seed)
    database.let_copies_be_made()
    gc.collect()
    gc.freeze()  # what is never looked at is not copied either
    baseline = in_a_copy(stage.rehearse)
    if isinstance(baseline, str) or baseline.wrong:
        tell((name, [baseline if isinstance(baseline, str) else str(baseline.wrong)], 0.0))
        return
    tell(("baseline", name, baseline.steps))
    found = cases.enumerate_cases(name, SCENARIOS[name], baseline)
    chosen = _chosen(found, options)
    tell(("count", name, len(found), len(chosen)))
    for case in chosen:
        begun = _clock()
        wrong = [] if options.list else in_a_copy(lambda case=case: stage.run(case, baseline))
        tell((str(case), [wrong] if isinstance(wrong, str) else wrong, _clock() - begun))


def _chosen(found: list[Any], options: argparse.Namespace) -> list[Any]:
    named = [one for one in found if _matches(str(one), options.pattern)]
    if options.share >= 1 or not named:
        return named
    count = max(round(len(named) * options.share), 1)
    return sorted(random.Random(f"{options.seed}{named[0]}").sample(named, count), key=str)


def _matches(name: str, pattern: str) -> bool:
    return not pattern or pattern in name or fnmatch.fnmatch(name, pattern)


class Report:
    """What came of the cases, as it is told."""

    def __init__(self, options: argparse.Namespace, scenarios: int) -> None:
        self._options = options
        self.begun = _clock()
        self.scenarios, self.done, self.kept = scenarios, 0, 0
        self.there = self.run = self.failed = 0
        self.by_fault: Counter[str] = Counter()
        self.steps: set[tuple[str, str]] = set()
        self.seconds: list[float] = []

    def hear(self, told: Any) -> None:
        if told[0] == "baseline":
            self.steps |= told[2]
        elif told[0] == "count":
            _, name, there, chosen = told
            self.there += there
            print(f"{name}: {chosen} of {there} cases", flush=True)
        elif told[0] == "end":
            self._scenario_is_done(is_kept=told[2])
        else:
            self._case(*told)

    def _scenario_is_done(self, *, is_kept: bool) -> None:
        self.done += 1
        self.kept += is_kept
        print(f"    {self.done} of {self.scenarios} scenarios, {self.run} cases, {self.failed} failed, "
              f"{_clock() - self.begun:.0f} s", flush=True)  # fmt: skip

    def _case(self, name: str, wrong: list[str], seconds: float) -> None:
        self.run += 1
        self.seconds.append(seconds)
        self.by_fault[name.rsplit("/", 1)[-1]] += 1
        if wrong:
            self.failed += 1
            print(f"FAILED {name}")
            for line in wrong:
                print(f"    {line.rstrip()}")
        elif self._options.verbose or self._options.list:
            print(f"ok     {name} ({seconds * 1000:.0f} ms)")
        sys.stdout.flush()

    def end(self) -> int:
        for fault, count in sorted(self.by_fault.items()):
            print(f"    {count:5} {fault}")
        middle = sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else 0.0
        print(
            f"matrix: seed {self._options.seed}, {self.run} of {self.there} cases, {self.failed} failed, "
            f"{middle * 1000:.0f} ms a case, {_clock() - self.begun:.0f} s"
            + (f" and those of {self.kept} scenarios before" if self.kept else "")
        )
        return 1 if self.failed or not self.run or self._is_incomplete() else 0

    def _is_incomplete(self) -> bool:
        """Tell whether some step of some workflow was not seen: a workflow without a scenario proves nothing."""
        from cloud.compute.services.graphs import GRAPHS
        from cloud.conductor.steps.failing import paths

        if self._options.pattern:
            return False
        # What only a failure leads to is gone through by the cases themselves.
        of_failures = {flow for name, path in paths().items() for flow in path.goes_on_as if flow != name}
        wanted = {(flow, step.name) for flow, graph in GRAPHS.items() if flow not in of_failures for step in graph}
        missing = wanted - self.steps
        for flow, step in sorted(missing):
            print(f"MISSING: no scenario has step {step} of {flow}")
        return bool(missing)


def side_by_side(names: list[str], jobs: int, run: Callable[[str, Tell], None]) -> Iterator[Any]:
    """Yield what the scenarios tell, and that they are done, a few at a time, each in a process of its own."""
    import selectors

    waiting, chooser = list(names), selectors.DefaultSelector()
    running = 0
    while waiting or running:
        while waiting and running < jobs:
            name = waiting.pop(0)
            reader, writer = os.pipe()
            if os.fork() == 0:
                os.close(reader)
                _tell_all(name, writer, run)
            os.close(writer)
            chooser.register(os.fdopen(reader, "rb"), selectors.EVENT_READ, name)
            running += 1
        for key, _ in chooser.select():
            try:
                yield pickle.load(key.fileobj)  # type: ignore[arg-type]  # noqa: S301 - our own copy wrote it
            except EOFError:
                chooser.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
                os.wait()
                running -= 1
                yield "end", key.data, False


def all_told(names: list[str], options: argparse.Namespace) -> Iterator[Any]:
    """Yield what all scenarios tell: first those of an earlier run, then those that lack."""

    def run(name: str, tell: Tell) -> None:
        run_scenario(name, options, tell)

    if not options.keep or options.list:
        yield from side_by_side(names, options.jobs, run)
        return
    kept = Kept(options.keep, (options.seed, options.share, options.pattern))
    earlier = {name: told for name in names if (told := kept.told(name))}
    for name, told in earlier.items():
        yield from (*told, ("end", name, True))
    yield from side_by_side([name for name in names if name not in earlier], options.jobs, kept.keeping(run))


def _tell_all(name: str, writer: int, run: Callable[[str, Tell], None]) -> None:
    try:
        with os.fdopen(writer, "wb", buffering=0) as stream:
            try:
                run(name, lambda told: stream.write(pickle.dumps(told)))
            except Exception as error:  # noqa: BLE001 - a scenario that breaks has failed
                import traceback

                stream.write(pickle.dumps((name, traceback.format_exception(error)[-8:], 0.0)))
    finally:
        os._exit(0)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.matrix", description=__doc__)
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--share", type=float, default=1.0, help="of the cases of every scenario, chosen by the seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path, help="a folder for what scenarios told, from which the next run goes on")
    parser.add_argument("--list", action="store_true", help="name the cases and run none")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    warnings.showwarning = lambda *_, **__: None  # Celery warns of every message that it could not publish
    from tests.chaos.sim.database import set_up_django

    set_up_django()
    from tests.chaos.sim.scenarios import SCENARIOS

    wanted = options.pattern.split("/")[0]
    names = [name for name in SCENARIOS if not options.pattern or _matches(name, wanted) or wanted not in SCENARIOS]
    report = Report(options, len(names))
    for told in all_told(names, options):
        report.hear(told)
    return report.end()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of a set is part of a run
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.chaos.matrix", *sys.argv[1:]])  # noqa: S606
    sys.exit(main())
