"""Routers: a namespace each, with a cable to the bridge of every network that they stand in."""
