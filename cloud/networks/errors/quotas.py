"""What is wrong with a quota."""

from cloud.core.errors import Conflict, Invalid


class OverQuota(Conflict):
    """Quota exceeded for resources: ['{resource}']."""


class InvalidQuotaValue(Invalid):
    """Change would make usage exceed the limit for the following resources: {resources}."""
