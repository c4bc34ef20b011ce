"""Words of many hosts on what lies there, taken together: most of them ask for nothing but to be kept."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby

from cloud.compute.models import ComputeNode, Instance
from cloud.compute.services import fencing, host_reports
from cloud.conductor.reconcile import lost_guests, residue
from contracts.conductor import Residue


def take(words: Sequence[Residue]) -> None:
    """Take hosts' words on what lies there, one of each, to the end that each has by itself.

    Those that ask for nothing are kept together, in a few statements for any number of hosts.
    """
    loud = _loud(words)
    for is_loud, some in groupby(words, key=lambda word: word.host in loud):
        if is_loud:
            for word in some:
                residue.take(word)
        else:
            host_reports.store_residues(list(some))


def _loud(words: Collection[Residue]) -> set[str]:
    """Return the hosts that perhaps have what they should not have, or lack what they should have."""
    said = {word.host: word for word in words}
    nodes = ComputeNode.objects.filter(host__in=said).values_list("host", "residue", "residue_at")
    before = {host: known if said_at else None for host, known, said_at in nodes}
    living: dict[str, dict[str, str]] = defaultdict(dict)
    rows = Instance.objects.filter(host__in=before, deleted=False).values_list("host", "uuid", "vm_state")
    for host, uuid, vm_state in rows:
        living[host][uuid] = vm_state
    loud = {host for host, known in before.items() if known is not None and _is_loud(said[host], known, living[host])}
    return loud | fencing.left(before)


def _is_loud(word: Residue, before: Mapping[str, list[str]], living: Mapping[str, str]) -> bool:
    return residue.has_suspects(word, before, living) or lost_guests.lacks(
        living, {*word.domains, *before.get("domains", ())}, {*word.disks, *before.get("disks", ())}
    )
