"""The conductor: workflows as Celery canvases, the steps they are made of, and the reconcilers."""
