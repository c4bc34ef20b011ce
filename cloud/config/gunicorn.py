"""The application server's settings: a few threads in a few processes that share the loaded code."""

import gc

# While everything is loaded nothing is garbage, and looking for it takes a tenth of the start.
gc.disable()
preload_app = True
worker_class = "gthread"
threads = 8
keepalive = 30
# Uploads of images take as long as they take; gthread's heartbeat does not depend on them.
timeout = 60
graceful_timeout = 10
max_requests = 0
forwarded_allow_ips = "127.0.0.1"
limit_request_field_size = 16380
accesslog = None
# It would lie in the home folder, one for all clouds.
control_socket_disable = True


def when_ready(server: object) -> None:
    """Let the garbage collector pass over what is loaded now: looking at it would copy it into each worker."""
    gc.collect()
    gc.freeze()
    gc.enable()


def post_fork(server: object, worker: object) -> None:
    """Give each worker database connections of its own, and let the garbage collector work less often.

    A list of 1,000 servers makes 60,000 objects, none of them garbage yet; looking at them again and again took a
    quarter of its time.
    """
    from django.db import connections  # noqa: PLC0415  # settings are ready only now

    connections.close_all()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
