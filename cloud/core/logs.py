"""Log lines that can be followed: each carries the request id."""

import logging

from cloud.core.context import current_request_id


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id; let every record through."""
        if not hasattr(record, "request_id"):
            record.request_id = current_request_id.get()
        return True
