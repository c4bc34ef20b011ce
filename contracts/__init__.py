"""The language of the cloud: what its processes say to each other.

Nothing here knows Django, Celery, libvirt or the network: names, typed messages, queues, deadlines, error codes.
"""
