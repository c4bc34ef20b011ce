"""Any operations and any faults, for a long time, in a simulated cloud: nothing breaks, and memory stays flat.

    python -m tests.chaos.soak --operations 10000 --seed 7
"""

import argparse
import os
import random
import resource
import sys
import time
import warnings
import zlib
from typing import Any

from contracts.networks import SyncNetworks

_clock = time.perf_counter
_MOST_SERVERS = 12
_POWER_CUTS = 0.08
_EVERY = 100
_WAIT_SECONDS = 300.0
# Deleted servers can be restored for so long; then they make room.
_KEPT_SECONDS = 10
# Between the first tenth of a run, when everything was loaded and used once, and its end.
_MOST_GROWTH_MB = 64.0
# What concerns no server, so that it is the host itself that gave it up.
_NETWORKS = f"{SyncNetworks.NAME}/sync_networks"


def _resident_mb() -> float:
    with open("/proc/self/statm") as stream:  # noqa: PTH123
        return int(stream.read().split()[1]) * resource.getpagesize() / 2**20


class Soak:
    """One run by one seed."""

    def __init__(self, seed: int) -> None:
        from tests.chaos.sim import scenarios

        self.rng = random.Random(seed)
        self.world, self.users = scenarios.prepare(seed)
        self.done = self.faults = self.evacuations = 0
        self.world.boundaries.is_listening = True
        self._trail = 0
        self.sizes: list[float] = []

    def run(self, operations: int) -> list[str]:
        """Do so many operations; return what is wrong at the first rest at which something is."""
        sizes = self.sizes
        while self.done < operations:
            self._one()
            if self.done % _EVERY:
                continue
            self.world.boundaries.watchers.clear()
            self._switch_all_on()
            wrong = self._judge()
            self._trust()
            self._forget()
            sizes.append(_resident_mb())
            trail = f"trail {self._trail:08x}"
            print(f"{self.done:6} operations, {self.faults} faults, {self.evacuations} hosts lost, "
                  f"{self.world.clock.now - 1_790_000_000:.0f} s, {sizes[-1]:.0f} MB, {trail}", flush=True)
            if wrong:
                return wrong
        settled = sizes[max(len(sizes) // 10, 1) - 1]
        growth = sizes[-1] - settled
        return [f"memory grew by {growth:.0f} MB"] if growth > _MOST_GROWTH_MB else []

    def _judge(self) -> list[str]:
        """Return what is wrong; what agents gave up because it killed them they try anew after an hour (ADR 52)."""
        from compute_agent import tries
        from tests.chaos.sim.verdict import judge

        world, since = self.world, self.world.clock.now - tries.REMEMBERED_SECONDS
        wrong = judge(world)
        given_up = {
            host.name if key == _NETWORKS else uuid
            for host in world.hosts for uuid in host.fences._records
            for key, one in host.fences.load(uuid).tries.items() if one.count >= tries.MOST and one.at >= since
        }  # fmt: skip
        if world.violations or not given_up or not any(name in line for line in wrong for name in given_up):
            return wrong
        print("\n".join(f"given up for an hour: {line}" for line in wrong), flush=True)
        for _ in range(int(tries.REMEMBERED_SECONDS / _WAIT_SECONDS) + 1):
            world.run(_WAIT_SECONDS)
        return judge(world)

    def _one(self) -> None:
        self.done += 1
        if self.rng.random() < 0.3:
            self._trouble()
        if not self.world.database.is_away:  # else it is a 503
            self._act()
        self.world.run(self.rng.choice((0.0, 0.05, 0.5, 3.0, 20.0)))

    def _act(self) -> None:
        from django.conf import settings

        users, rng = self.users, self.rng
        settings.RECLAIM_INSTANCE_INTERVAL = _KEPT_SECONDS if rng.random() < 0.8 else 0
        living = users.living()
        if not living or (len(living) < _MOST_SERVERS and rng.random() < 0.3):
            users.create(rng.choice((1, 1, 2)), image=rng.randrange(2))
            return
        uuid = rng.choice(living)
        if rng.random() < _POWER_CUTS:
            self._lose_power(uuid)
            return
        action, body = rng.choice(self._actions())
        if action:
            users.act(uuid, action, body)
        else:
            users.delete(uuid)

    def _actions(self) -> list[tuple[str, Any]]:
        return [
            ("", None), ("", None), ("os-stop", None), ("os-start", None), ("reboot", {"type": "SOFT"}),
            ("reboot", {"type": "HARD"}), ("rebuild", {"imageRef": self.users.images[1]}),
            ("resize", {"flavorRef": self.rng.choice(("small", "large"))}), ("migrate", None), ("confirmResize", None),
            ("revertResize", None), ("createImage", {"name": "copy"}), ("forceDelete", None), ("restore", None),
            ("os-resetState", {"state": self.rng.choice(("active", "error"))}),
        ]  # fmt: skip

    def _lose_power(self, uuid: str) -> None:
        """Take the power of a server's host away, and evacuate the server; one host at a time is off."""
        from cloud.compute.models import Instance

        host = Instance.objects.get(uuid=uuid).host
        if not host or not all(one.is_agent_up for one in self.world.hosts):
            return
        self.evacuations += 1
        there = list(Instance.objects.filter(host=host, deleted=False).values_list("uuid", flat=True))
        self.world.cut_power(self.world.host_named(host))
        self.users.say_down(host)
        for one in there:  # any request may be the one at which the database goes away
            self.users.act(one, "evacuate", {}, self.rng.choice(("2.68", "2.95")))
        if self.rng.random() < 0.5:  # else it is off until the next rest
            self.world.clock.after(self.rng.choice((1.0, 30.0, 300.0)), self._switch_all_on)

    def _switch_all_on(self) -> None:
        for host in self.world.hosts:
            self.world.switch_on(host)

    def _trust(self) -> None:
        """Say that machines which are on are up again."""
        from cloud.compute.models import Service

        for host in Service.objects.filter(forced_down=True).values_list("host", flat=True):
            self.users.say_down(host, is_down=False)

    def _trouble(self) -> None:
        """Arm a fault at a boundary that is not far off; it happens where it fits."""
        from tests.chaos.sim import faults

        name = self.rng.choice(sorted(faults.FAULTS))
        fault, boundaries = faults.FAULTS[name], self.world.boundaries
        wait = self.rng.randrange(30)

        def watch(boundary: Any) -> None:
            nonlocal wait
            wait -= 1
            if wait > 0 or not boundary.process or boundary.point not in fault.points or not fault.fits(boundary):
                return
            boundaries.watchers.remove(watch)
            self.faults += 1
            fault.strike(self.world, self.users, boundary)

        boundaries.watchers.append(watch)
        del boundaries.watchers[:-3]

    def _note_trail(self) -> None:
        """Sum up what was done: soaks with one trail went one way."""
        seen = self.world.boundaries.seen
        self._trail = zlib.crc32("\n".join(map(str, seen)).encode(), self._trail)
        seen.clear()

    def _forget(self) -> None:
        """What a real one prunes after days is pruned here: the run is about what stays in memory by mistake."""
        from cloud.compute.models import Instance, InstanceFault, Migration, Operation
        from cloud.conductor import background
        from cloud.images.models import Image
        from tests.chaos.sim.database import clean_tables

        self._note_trail()
        self.users.answers.clear()
        background.recorder._waiting.clear()
        dead = Instance.objects.filter(deleted=True)
        uuids = list(dead.values_list("uuid", flat=True))
        for model in (Operation, InstanceFault, Migration):
            model.objects.filter(instance_uuid__in=uuids).delete()
        dead.delete()
        clean_tables()
        Image.objects.exclude(id__in=self.users.images).delete()
        for host in self.world.hosts:
            host.boots.clear()
            host.fences.prune()


def main() -> int:
    """Run one soak."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    warnings.showwarning = lambda *_, **__: None
    from tests.chaos.sim.database import set_up_django

    set_up_django()
    begun = _clock()
    soak = Soak(options.seed)
    wrong = soak.run(options.operations)
    for line in wrong:
        print(f"WRONG {line}")
    quarters = [soak.sizes[len(soak.sizes) * quarter // 4 - 1] for quarter in range(1, 5)] if soak.sizes else []
    print(f"soak: memory after each quarter: {', '.join(f'{size:.0f} MB' for size in quarters)}")
    print(f"soak: seed {options.seed}, {soak.done} operations, {soak.faults} faults, {len(wrong)} violations, "
          f"{_clock() - begun:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.chaos.soak", *sys.argv[1:]])  # noqa: S606
    sys.exit(main())
