"""Chooses hosts: `core` is a pure function over columns of numbers, `service` a thin Celery worker around it."""
