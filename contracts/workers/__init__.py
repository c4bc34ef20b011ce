"""What conductor, scheduler and agents have alike as Celery's workers. See docs/adr/0165-what-workers-share.md."""
