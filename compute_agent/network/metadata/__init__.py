"""The metadata service of a host: a small process that needs nothing but the standard library and the agent's files."""
