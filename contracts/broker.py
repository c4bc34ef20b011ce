"""Celery's settings, the same in every process: each line answers a failure that was reproduced.

See docs/adr/0003-celery-settings.md for the reasons and the experiments.
"""

from typing import Any

from contracts.routing import TASK_ROUTES

VISIBILITY_TIMEOUT_SECONDS = 3600
_TRANSPORT: dict[str, Any] = {
    "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "health_check_interval": 25,
}


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Return Celery's configuration for a Redis that is broker and short-lived result backend."""
    return {
        "broker_url": redis_url,
        "result_backend": redis_url,
        "broker_transport_options": dict(_TRANSPORT),
        "result_backend_transport_options": dict(_TRANSPORT),
        "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_routes": TASK_ROUTES,
        "task_create_missing_queues": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_track_started": False,
        "result_expires": 3600,
        "worker_prefetch_multiplier": 1,
        "worker_soft_shutdown_timeout": 5,
        "worker_hijack_root_logger": False,
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "enable_utc": True,
        "timezone": "UTC",
    }
