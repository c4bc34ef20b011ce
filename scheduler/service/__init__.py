"""The process around the core: it hears of hosts through Redis, answers through Celery, and decides nothing."""
