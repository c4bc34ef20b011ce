"""Why a server is where it is, or nowhere, as a part of a page."""

from collections.abc import Sequence

from django.template.loader import render_to_string

from cloud.compute.services.placement_reports import CHOOSES_FLAVOR, Explained, Report


def report_part(report: Report) -> str:
    """Return an operation's placement report, the latest decision first."""
    return decisions_part(report.decisions[::-1], is_choice=report.operation.action in CHOOSES_FLAVOR)


def decisions_part(decisions: Sequence[Explained], *, is_choice: bool) -> str:
    """Return decisions of the scheduler; `is_choice`: another flavor may be chosen."""
    return render_to_string("admin/compute/placement.html", {"decisions": decisions, "is_choice": is_choice})
