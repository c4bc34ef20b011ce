"""Events of tasks go out together, a moment later, and none is left behind."""

from types import SimpleNamespace

from contracts.workers.events import BatchingConsumer


class Hub:
    """An event loop whose time is told by the test."""

    def __init__(self):
        self.due = []

    def call_later(self, seconds, callback):
        self.due.append((seconds, callback))

    def pass_time(self):
        due, self.due = self.due, []
        for _, callback in due:
            callback()


def test_many_events_are_sent_at_once_and_the_next_ones_after_them():
    consumer, sent = BatchingConsumer.__new__(BatchingConsumer), []
    consumer.hub = Hub()
    consumer.event_dispatcher = SimpleNamespace(flush=lambda: sent.append("all that wait"))
    for _ in range(2):
        for _ in range(10):
            consumer.on_send_event_buffered()
        assert len(consumer.hub.due) == 1
        consumer.hub.pass_time()
    assert sent == ["all that wait"] * 2
