"""Task events are sent a few times a second, many in one message: Flower needs them soon, not each by itself."""

from celery.worker.consumer import Consumer

_SECONDS = 0.25


class BatchingConsumer(Consumer):
    """Celery's own, which would send them whenever its loop has turned once."""

    _is_due = False

    def on_send_event_buffered(self) -> None:
        """See Celery: an event was put with those that wait."""
        if self.hub and not self._is_due:
            self._is_due = True
            self.hub.call_later(_SECONDS, self._flush_events)

    def _flush_events(self) -> None:
        self._is_due = False
        super()._flush_events()
