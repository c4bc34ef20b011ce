"""Forgets task results that are too old to matter."""

from datetime import timedelta

from django.conf import settings
from django_celery_results.models import TaskResult

from cloud.core.clock import database_now

_AT_ONCE = 5_000


def prune() -> int:
    """Delete old task results, a bounded number of them; return how many."""
    oldest = database_now() - timedelta(days=settings.CELERY_RESULT_EXPIRES_DAYS)
    ids = list(TaskResult.objects.filter(date_done__lt=oldest).values_list("pk", flat=True)[:_AT_ONCE])
    TaskResult.objects.filter(pk__in=ids).delete()
    return len(ids)
