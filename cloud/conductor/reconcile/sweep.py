"""What breaks an invariant of the books in two sweeps is mended, by what the audit names as its command.

A sweep lists what it finds; the next one mends what still is as it was. Each repair judges again, in the transaction
that it writes, so two sweeps at the same time do no harm. What has no row in `REPAIRS` is left for a person, under the
command that the audit prints.
"""

import hashlib
import logging
import shlex
from collections.abc import Callable, Mapping

from cloud.compute.models import Discrepancy
from cloud.compute.selectors.holdings import dead_holders
from cloud.compute.services.books import recount_host, recount_project
from cloud.conductor import repairs
from cloud.conductor.audit.auditor import look
from cloud.conductor.audit.findings import Finding
from cloud.conductor.reconcile import restored
from cloud.core.clock import DATABASE_AWAY, database_now

_log = logging.getLogger(__name__)
_AT_ONCE = 200
# What hosts have is judged when they speak (residue, lost guests), by their last two words.
BOOKS = ("I1", "I2", "I3", "I4", "I7", "I8", "I9", "I10", "I11")

REPAIRS: Mapping[tuple[str, str], Callable[[str], object]] = {
    ("recount", "project"): recount_project,
    ("recount", "host"): lambda host: recount_host(host, dead_holders(host)),
    ("server_mend", "claim"): repairs.hold_what_is_needed,
    ("server_mend", "ports"): repairs.bind_or_give_back,
    ("server_mend", "settle"): repairs.settle,
    ("server_mend", "resend"): repairs.send_soon,
    ("server_mend", "close"): repairs.close,
    ("server_mend", "remember"): repairs.remember,
    ("server_mend", "end"): repairs.end_all_but_newest,
}


def sweep() -> int:
    """List what is found, mend what was listed before; return how many were mended."""
    found = {_digest(one): one for one in look(BOOKS)}
    lasting = _list(found)
    if not lasting or restored.is_older():
        return 0
    todo = list(dict.fromkeys(filter(None, (_repair(found[digest]) for digest in lasting))))
    return sum(_mend(*one) for one in todo[:_AT_ONCE])


def _digest(finding: Finding) -> str:
    return hashlib.sha256(f"{finding.command}\n{finding}".encode()).hexdigest()


def _list(found: Mapping[str, Finding]) -> list[str]:
    """Keep what is found, forget what is gone; return what the last sweep had found already."""
    listed = set(Discrepancy.objects.values_list("digest", flat=True))
    Discrepancy.objects.filter(digest__in=listed - set(found)).delete()
    now = database_now()
    fresh = sorted((one, digest) for digest, one in found.items() if digest not in listed)
    for finding, _ in fresh:
        _log.warning("%s; by hand: %s", finding, finding.command)
    Discrepancy.objects.bulk_create(
        (Discrepancy(digest=digest, invariant=one.invariant, subject=one.subject[:255], text=one.text,
                     command=one.command, found_at=now) for one, digest in fresh),
        ignore_conflicts=True,
    )  # fmt: skip
    return sorted(listed & set(found))


def _repair(finding: Finding) -> tuple[tuple[str, str], str] | None:
    """Return the repair of a finding and what it is of; None where a person must decide."""
    words = shlex.split(finding.command)[1:]
    if len(words) < 3:
        return None
    command, first, second = words[:3]
    verb, name = (first, second) if command == "recount" else (second, first)
    return ((command, verb), name) if (command, verb) in REPAIRS else None


def _mend(repair: tuple[str, str], name: str) -> bool:
    try:
        is_mended = bool(REPAIRS[repair](name))
    except DATABASE_AWAY:
        raise
    except Exception:  # noqa: BLE001 - logged; one repair must not keep the others
        _log.exception("%s of %s failed; trying again", " ".join(repair), name)
        return False
    if is_mended:
        _log.warning("mended by the sweep: %s of %s", " ".join(repair), name)
    return is_mended
