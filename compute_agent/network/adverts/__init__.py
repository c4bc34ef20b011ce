"""Router advertisements: whole frames made by the agent, sent by a small process (ADR 147)."""
