"""What would happen if a host were drained, or a server migrated: a page that changes nothing."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from cloud.compute.admin.placement import answer_part
from cloud.compute.services.dry_runs import DryRun, Outlook
from cloud.core.errors import CloudError


def dry_run_page(
    model_admin: ModelAdmin, request: HttpRequest, one: Any, title: str, run: Callable[[], DryRun]
) -> HttpResponse:
    """Answer the page of a dry run, or of why it is refused.

    Args:
        model_admin: whose page it is.
        request: of a person.
        one: the row that it is about; it has a `host`.
        title: of the page.
        run: finds out.
    """
    name = f"{model_admin.opts.app_label}_{model_admin.opts.model_name}"
    values = {
        **model_admin.admin_site.each_context(request), "title": title, "opts": model_admin.opts, "subject": str(one),
        "source": one.host, "list_url": reverse(f"admin:{name}_changelist"),
        "back": reverse(f"admin:{name}_change", args=[one.pk]),
    }  # fmt: skip
    try:
        values |= _found(run())
    except CloudError as refusal:
        values["refusal"] = refusal.message
    return TemplateResponse(request, "admin/compute/dry_run.html", values)


def _found(run: DryRun) -> dict[str, Any]:
    homeless = [one for one in run.outlooks if one.explained is not None and not one.is_placed]
    told_of = _told_of(run, homeless)
    part = answer_part(told_of.explained) if told_of and told_of.explained else ""
    return {
        "run": run, "homeless": len(homeless), "refused": sum(bool(one.refusal) for one in run.outlooks),
        "targets": _targets(run), "told_of": told_of.name if told_of else "", "part": part,
    }  # fmt: skip


def _told_of(run: DryRun, homeless: list[Outlook]) -> Outlook | None:
    """Return the server that the page tells of in full: one that finds no host, or the only one."""
    if homeless:
        return homeless[0]
    return run.outlooks[0] if len(run.outlooks) == 1 else None


def _targets(run: DryRun) -> list[tuple[str, int, int]]:
    """Return the hosts that servers would go to, with how many, and how many of a hundred that are."""
    counts = Counter(one.host for one in run.outlooks if one.host)
    return [(host, count, round(100 * count / run.placed)) for host, count in counts.most_common()]
