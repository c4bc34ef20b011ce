"""Users, projects, roles, tokens, quotas: who asks, and how much they may have."""
