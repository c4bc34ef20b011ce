"""The language of the cloud: what its processes say to each other.

Nothing here knows Django, Celery, libvirt or the network: names, typed messages, queues, deadlines, error codes.
"""

# What an agent reports, and by what the control plane knows which orders it understands. It grows with a release in
# which a message was added or changed; `python -m contracts.recording` then records what is said now.
RELEASE = 2
