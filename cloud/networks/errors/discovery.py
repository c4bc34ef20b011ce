"""What is not known of the service itself."""

from cloud.core.errors import NotFound


class ExtensionNotFound(NotFound):
    """Extension with alias {alias} does not exist."""


class AgentNotFound(NotFound):
    """Agent {agent_id} could not be found."""
