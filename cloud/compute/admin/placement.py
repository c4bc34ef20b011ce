"""Why a server is where it is, or nowhere, as a part of a page."""

from collections.abc import Sequence

from django.template.loader import render_to_string

from cloud.compute.services.placement_reports import CHOOSES_FLAVOR, Explained, Report


def report_part(report: Report) -> str:
    """Return an operation's placement report, the latest decision first."""
    return _part(report.decisions[::-1], is_kept=True, is_choice=report.operation.action in CHOOSES_FLAVOR)


def answer_part(explained: Explained) -> str:
    """Return one answer of the scheduler to a question without consequences."""
    return _part([explained])


def _part(decisions: Sequence[Explained], **more: bool) -> str:
    return render_to_string("admin/compute/placement.html", {"decisions": decisions, **more})
