"""What hosts say of their own accord, and how each kind is written for many hosts together: a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cloud.compute.services import host_reports
from cloud.conductor.reconcile import power_words, residue_words
from contracts.conductor import HostReport, PowerReport, Residue
from contracts.envelope import Message


@dataclass(frozen=True)
class Kind:
    """A kind of report.

    Attributes:
        message: as which it is read.
        write: takes reports of this kind, one of each host, to the end that each has by itself.
        is_urgent: whether somebody may wait for what a report says.
    """

    message: type[Message]
    write: Callable[[list[Any]], object]
    is_urgent: Callable[[Any], bool]


# In the order in which they are written: of what lies on a host nothing is kept before the host is known.
KINDS = (
    Kind(HostReport, host_reports.report_hosts, lambda report: not host_reports.is_still(report)),
    Kind(PowerReport, power_words.take, lambda report: not report.is_full),
    Kind(Residue, residue_words.take, lambda report: False),
)
