"""Celery's settings, the same in every process: each line answers a failure that was reproduced.

See docs/adr/0003-celery-settings.md for the reasons and the experiments.
"""

import ssl
from collections.abc import Iterable
from typing import Any

from contracts.routing import TASK_ROUTES

VISIBILITY_TIMEOUT_SECONDS = 3600
# Without it a result is tried for twenty seconds; what is lost is sent again by a reconciler.
_RESULT_RETRIES: dict[str, Any] = {"max_retries": 2, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
# A Redis that is silent for longer is away. Above the second that a consumer's BRPOP blocks, so that none is cut off.
SOCKET_TIMEOUT_SECONDS = 3.0
_TRANSPORT: dict[str, Any] = {
    "socket_timeout": SOCKET_TIMEOUT_SECONDS,
    "socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
    "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "priority_steps": [0],  # nothing has one, and each would be one more list to wait at
}
_IN_WORK = ("unacked", "unacked_index")
# How often an agent looks for what it had in work an hour ago, when it was another process.
_OWN_RESTORE_SECONDS = 60
_LANES = ("fast-slow", "slow-fast", "fast", "slow")


def celery_settings(redis_url: str) -> dict[str, Any]:
    """Return Celery's configuration for a Redis that is broker and short-lived result backend."""
    return {
        **_encryption(redis_url),
        "broker_url": redis_url,
        "broker_transport": "contracts.workers.transport:Transport",
        "worker_consumer": "contracts.workers.events:BatchingConsumer",
        "result_backend": redis_url,
        "broker_transport_options": dict(_TRANSPORT),
        "result_backend_transport_options": {**_TRANSPORT, "retry_policy": dict(_RESULT_RETRIES)},
        "redis_socket_timeout": SOCKET_TIMEOUT_SECONDS,
        "redis_socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
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


def _encryption(redis_url: str) -> dict[str, Any]:
    """Return how a broker behind TLS is known: by a certificate that is good for its name, unless the URL says less."""
    if not redis_url.startswith("rediss://"):
        return {}
    known = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return {"broker_use_ssl": known, "redis_backend_use_ssl": known}


def own_keys(credential: str, lanes: Iterable[str]) -> dict[str, Any]:
    """Return the transport options by which a process keeps what it has in work under keys of its own.

    Without them all processes share one hash, and whoever may take back his own messages may take everybody's.
    """
    prefix = f"{agent_keys(credential)}{'-'.join(lanes)}:"
    in_work, index = (f"{prefix}{name}" for name in _IN_WORK)
    return {
        "unacked_key": in_work,
        "unacked_index_key": index,
        "unacked_mutex_key": f"{prefix}unacked_mutex",
        "unacked_restore_interval": _OWN_RESTORE_SECONDS,
    }


def work_keys(credential: str) -> list[str]:
    """Return all keys by which the processes of an agent keep what they have in work, whatever lanes each serves."""
    return [f"{agent_keys(credential)}{lanes}:{name}" for lanes in _LANES for name in _IN_WORK]


def agent_keys(credential: str) -> str:
    """Return what all keys begin with that an agent has for itself. No credential's name has a colon."""
    return f"agent:{credential}:"
