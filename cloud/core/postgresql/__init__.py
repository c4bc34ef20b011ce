"""Django's PostgreSQL with an end to waiting: a server that is there and silent is as good as one that is away."""
